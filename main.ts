/**
 * outlet: a room full of sockets. The words on the command line become a command, the command is run,
 * signals end it, and what came of it becomes the exit code.
 *
 * @module
 */
import project from "./deno.json" with { type: "json" };
import { readCommand } from "./src/cli/args.ts";
import { printable } from "./src/terminal/printable.ts";
import type { ServerSignals } from "./src/app/run_server.ts";
import { UsageError } from "./src/options/usage_error.ts";
import { ReaderGone, writeStdout } from "./src/terminal/stdio.ts";

const EXIT = { done: 0, failed: 1, usage: 2, signal: 128 } as const;

const encoder = new TextEncoder();

async function main(words: readonly string[]): Promise<number> {
  const command = await readCommand(words);
  switch (command.mode) {
    case "help":
      await writeStdout(encoder.encode(command.text));
      return EXIT.done;
    case "version":
      await writeStdout(encoder.encode(`outlet ${project.version} (deno ${Deno.version.deno})\n`));
      return EXIT.done;
    // A mode loads what it needs, and nothing of the others.
    case "server": {
      if (command.action !== "serve") {
        const { showConfig } = await import("./src/app/show_config.ts");
        await writeStdout(encoder.encode(await showConfig(command)));
        return EXIT.done;
      }
      const { runServerMode } = await import("./src/app/run_server.ts");
      const cut = await runServerMode(command, serverSignals({ reloads: "file" in command }));
      return cut > 0 ? EXIT.failed : EXIT.done;
    }
    case "client": {
      const { runClientMode } = await import("./src/app/run_client.ts");
      await runClientMode(command.config, {
        interrupt: () => Deno.exit(EXIT.signal + 2),
        stopOnSignals: () => stopOnSignals().signal,
      });
      return EXIT.done;
    }
    case "trace": {
      const { runTraceMode } = await import("./src/app/run_trace.ts");
      await runTraceMode(command.config, stopOnSignals());
      return EXIT.done;
    }
  }
}

/** The first SIGINT, SIGTERM or call asks for a stop; the second one does not wait for it. */
function stopOnSignals(): { signal: AbortSignal; ask(signalNumber: number): void } {
  const stop = new AbortController();
  const ask = (signalNumber: number) => {
    if (stop.signal.aborted) Deno.exit(EXIT.signal + signalNumber);
    stop.abort();
  };
  Deno.addSignalListener("SIGINT", () => ask(2));
  Deno.addSignalListener("SIGTERM", () => ask(15));
  return { signal: stop.signal, ask };
}

/**
 * SIGHUP asks a server for another look at its config. Where there is no file to look at, it means that the
 * terminal is gone, and it stops the server.
 */
function serverSignals({ reloads }: { reloads: boolean }): ServerSignals {
  const { signal, ask } = stopOnSignals();
  const hangups = new EventTarget();
  Deno.addSignalListener("SIGHUP", () => {
    if (reloads) hangups.dispatchEvent(new Event("hangup"));
    else ask(1);
  });
  return { signal, hangups, interrupt: () => ask(2) };
}

/** One line on stderr, and the code that tells whose fault it was. */
function fail(error: unknown): number {
  if (error instanceof ReaderGone) return EXIT.done;
  const message = error instanceof Error ? error.message : String(error);
  console.error(`outlet: ${printable(message)}`);
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

if (import.meta.main) Deno.exit(await main(Deno.args).catch(fail));
