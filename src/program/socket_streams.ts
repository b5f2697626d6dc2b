/**
 * A socket of Node's as a pair of streams. (`Duplex.toWeb` of Deno 2.9 throws out of a callback when the other
 * end has closed first.)
 *
 * @module
 */
import type { Duplex } from "node:stream";

/** Both directions of a socket; each has at most one chunk under way. */
export interface SocketStreams {
  /** What comes from the other end. Cancelling it closes both directions. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What goes to the other end. Closing it ends this direction alone. */
  readonly writable: WritableStream<Uint8Array>;
}

/** Takes over the socket. */
export function socketStreams(socket: Duplex): SocketStreams {
  socket.pause();
  // Whatever goes wrong shows in what is read and written.
  socket.on("error", () => {});
  return { readable: readableOf(socket), writable: writableOf(socket) };
}

function readableOf(socket: Duplex): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isOver = false;
  return new ReadableStream({
    start(controller) {
      const end = () => {
        if (!isOver) controller.close();
        isOver = true;
      };
      socket.on("data", (chunk: Uint8Array<ArrayBuffer>) => {
        socket.pause();
        if (!isOver) controller.enqueue(chunk);
      });
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
