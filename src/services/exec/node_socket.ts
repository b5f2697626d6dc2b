/**
 * Programs with a socket for stdin and stdout, in Node's way, where there is no better one (`socket_pair.ts`): what a
 * program writes just before it ends with bytes unread may be lost, for Node takes the reset that follows first.
 *
 * @module
 */
import { TaskScope } from "../../scheduling/task_scope.ts";
import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable } from "node:stream";
import type { Call, SocketStarter, Started } from "./spawn.ts";

/**
 * Makes descriptor 3 stdin and stdout, and becomes the program: neither Deno nor any other tool that every
 * system has can do that. The program's own words are handed through unread.
 */
const MOVE_DESCRIPTORS = ["-c", 'exec "$@" 0<&3 1>&3 3>&-', "sh"] as const;

const tasks = new TaskScope("carrying a program's bytes", { without: "it ends with its client" });

/** Starts programs whose stdin and stdout are one socket. */
export const NODE_STARTER: SocketStarter = { start: withSocket, [Symbol.dispose]() {} };

function withSocket({ file, args, ...call }: Call): Started {
  const child = spawn("/bin/sh", [...MOVE_DESCRIPTORS, file, ...args], {
    ...call,
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  const status = statusOf(child);
  const socket = child.stdio[3] as unknown as Duplex;
  // Whatever goes wrong shows in what is read and written.
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
 * How a child of Node's ends.
 *
 * @throws {Error} when it was not even started
 */
export function statusOf(child: ChildProcess): Started["status"] {
  const { promise, resolve } = Promise.withResolvers<Awaited<Started["status"]>>();
  // It is told once more, later, why it could not be started.
  child.on("error", tasks.guard(() => {}));
  if (child.pid === undefined) throw new Error("the system would not start it");
  child.on(
    "exit",
    tasks.guard((code: number | null, signal: string | null) =>
      resolve({ code: code ?? 0, signal: signal as Deno.Signal | null })
    ),
  );
  return promise;
}

/** What a child of Node's complains of. */
export function stderrOf({ stderr }: ChildProcess): Started["stderr"] {
  return readableOf(stderr!);
}

// The two directions are made by hand, for Duplex.toWeb of Deno 2.9 throws out of a callback when the other end
// has closed first. Each has at most one chunk under way.

function readableOf(socket: Readable): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isOver = false;
  socket.pause();
  return new ReadableStream({
    type: "bytes",
    start(controller) {
      const end = tasks.guard(() => {
        if (isOver) return;
        isOver = true;
        controller.close();
        // A read that waits hears of the end only so.
        controller.byobRequest?.respond(0);
      });
      const take = tasks.guard((chunk: Uint8Array<ArrayBuffer>) => {
        socket.pause();
        // A stream of bytes takes the whole buffer, and Node cuts several chunks from one.
        if (!isOver) controller.enqueue(chunk.slice());
      });
      socket.on("data", take);
      socket.on("end", end);
      socket.on("close", end);
    },
    pull() {
      socket.resume();
    },
    cancel() {
      isOver = true;
      socket.destroy();
    },
  }, { highWaterMark: 0 });
}

function writableOf(socket: Duplex): WritableStream<Uint8Array> {
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
