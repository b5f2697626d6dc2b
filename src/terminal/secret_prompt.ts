/**
 * Asks for a secret at the terminal.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { isInForeground } from "./job_control.ts";

const tasks = new TaskScope("asking for a secret", { consequence: "it counts as not given" });

/**
 * Asks for a secret, which is shown as asterisks. The question must be printable.
 *
 * @returns `undefined` if stdin and stdout are not a terminal in whose foreground the process runs
 */
export async function askSecret(question: string): Promise<string | undefined> {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal() || !isInForeground()) return undefined;
  const module = new URL("./secret_worker.ts", import.meta.url);
  const worker = new Worker(module, { type: "module", name: "secret" });
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  worker.onmessage = tasks.guard(({ data }: MessageEvent<string | null>) =>
    resolve(data ?? undefined)
  );
  worker.onerror = tasks.guard((event) => {
    event.preventDefault();
    resolve(undefined);
  });
  // Before the question is shown: nothing that is typed early is echoed. (With cbreak Ctrl-C sends its signal.)
  Deno.stdin.setRaw(true, { cbreak: Deno.build.os !== "windows" });
  try {
    worker.postMessage(question);
    return await promise;
  } finally {
    worker.terminate();
    Deno.stdin.setRaw(false);
  }
}
