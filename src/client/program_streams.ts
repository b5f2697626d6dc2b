/**
 * Starts a client's program: the connection is its stdin and stdout, or its descriptors 6 and 7.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import type { SpawnCall, SpawnedProgram, Starter } from "../services/exec/spawn.ts";

/** Starts a program with pipes for stdin and stdout, and outlet's stderr. */
export function withPipes({ file, args, env, cwd }: SpawnCall): SpawnedProgram {
  const child = new Deno.Command(file, {
    args: [...args],
    env,
    clearEnv: true,
    ...cwd === undefined ? {} : { cwd },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { pid, stdin, stdout, status } = child;
  return { pid, stdin, stdout, stderr: atEnd(), status };
}

/**
 * A starter whose programs keep outlet's stdin, stdout and stderr, read the connection from descriptor 6, and write
 * to it at descriptor 7 (`tcpclient`).
 */
export async function withDescriptors(): Promise<Starter> {
  const { spawn } = await import("node:child_process");
  const { readableOf, statusOf, writableOf } = await import("../services/exec/node_socket.ts");
  const { TaskScope } = await import("../scheduling/task_scope.ts");
  const tasks = new TaskScope("copying a program's data", {
    consequence: "the program ends with its connection",
  });
  return ({ file, args, env }: SpawnCall): SpawnedProgram => {
    const child = spawn(file, [...args], {
      env,
      stdio: ["inherit", "inherit", "inherit", "ignore", "ignore", "ignore", "pipe", "pipe"],
    });
    const status = statusOf(child);
    const [input, output] = child.stdio.slice(6) as unknown as [Duplex, Duplex];
    // Errors appear in reads and writes.
    for (const socket of [input, output]) socket.on("error", tasks.guard(() => {}));
    return {
      pid: child.pid!,
      stdin: writableOf(input),
      stdout: readableOf(output),
      stderr: atEnd(),
      status,
    };
  };
}

/** A stream without data. */
function atEnd(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ type: "bytes", start: (controller) => controller.close() });
}
