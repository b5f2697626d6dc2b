/**
 * Starts programs with a socket for stdin and stdout through Node's `child_process`, where `socket_pair.ts` has no libc.
 * Output that a program writes just before it exits with unread input may be lost, because Node sees the reset first.
 *
 * @module
 */
import { TaskScope } from "../../scheduling/task_scope.ts";
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import type { SocketStarter, SpawnCall, SpawnedProgram } from "./spawn.ts";

/**
 * A shell command that moves descriptor 3 to stdin and stdout and replaces itself by the program. Deno has no API for
 * that. The shell does not interpret the program's arguments.
 */
const MOVE_DESCRIPTORS = ["-c", 'exec "$@" 0<&3 1>&3 3>&-', "sh"] as const;

const tasks = new TaskScope("copying a program's data", {
  consequence: "the program ends with its client",
});

/** Starts programs with one socket for stdin and stdout. */
export const NODE_STARTER: SocketStarter = { start: withSocket, [Symbol.dispose]() {} };

function withSocket({ file, args, ...call }: SpawnCall): SpawnedProgram {
  const child = spawn("/bin/sh", [...MOVE_DESCRIPTORS, file, ...args], {
    ...call,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  const status = statusOf(child);
  const socket = child.stdio[3] as unknown as Duplex;
  // Errors appear in reads and writes.
  socket.on("error", tasks.guard(() => {}));
  return {
    pid: child.pid!,
    stdin: writableOf(socket),
    stdout: readableOf(socket),
    stderr: stderrOf(child),
    status,
  };
}

/**
 * Resolves with the exit status of a Node child process.
 *
 * @throws {Error} where it was not started
 */
export function statusOf(child: ChildProcess): SpawnedProgram["status"] {
  const { promise, resolve } = Promise.withResolvers<Awaited<SpawnedProgram["status"]>>();
  // Emitted a second time, asynchronously, where it could not be started.
  child.on("error", tasks.guard(() => {}));
  if (child.pid === undefined) throw new Error("the system could not start it");
  child.on(
    "exit",
    tasks.guard((code: number | null, signal: string | null) =>
      resolve({ code: code ?? 0, signal: signal as Deno.Signal | null })
    ),
  );
  return promise;
}

/** The stderr of a Node child process. */
export function stderrOf({ stderr }: ChildProcess): SpawnedProgram["stderr"] {
  return readableOf(stderr!);
}

// Both directions are converted by hand, because Duplex.toWeb of Deno 2.9 throws out of a callback when the peer has
// closed first. Each has at most one chunk in flight.

/** The data of a Node stream; at most one chunk of it is in flight. */
export function readableOf(socket: Readable): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isClosed = false;
  socket.pause();
  return new ReadableStream({
    type: "bytes",
    start(controller) {
      const end = tasks.guard(() => {
        if (isClosed) return;
        isClosed = true;
        controller.close();
        // Ends a pending read, which close() does not.
        controller.byobRequest?.respond(0);
      });
      const push = tasks.guard((chunk: Uint8Array<ArrayBuffer>) => {
        socket.pause();
        // A byte stream detaches the whole buffer, which Node shares among several chunks.
        if (!isClosed) controller.enqueue(chunk.slice());
      });
      socket.on("data", push);
      socket.on("end", end);
      socket.on("close", end);
    },
    pull() {
      socket.resume();
    },
    cancel() {
      isClosed = true;
      socket.destroy();
    },
  }, { highWaterMark: 0 });
}

/** A Node stream as a destination; at most one chunk is in flight. */
export function writableOf(socket: Duplex): WritableStream<Uint8Array> {
  return new WritableStream({
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.once("close", reject);
        socket.write(bytes, (error) => {
          socket.off("close", reject);
          if (error) reject(error);
          else resolve();
        });
      }),
    close() {
      socket.end();
    },
  });
}
