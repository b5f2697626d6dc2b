/**
 * Programs with a socket for stdin and stdout, for those that insist on one: one of two connected Unix sockets becomes
 * the program's, the other is read and written by Deno.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { type Libc, libc } from "../../transport/libc.ts";
import { statusOf, stderrOf } from "./node_socket.ts";
import type { Call, SocketStarter, Started } from "./spawn.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
/** Programs that others start meanwhile do not get it. */
const SOCK_CLOEXEC = 0o2000000;

/** A starter for one program; `undefined` where there is no socket to be had for it. */
export async function openSocketPair(): Promise<SocketStarter | undefined> {
  const system = libc();
  if (!system) return undefined;
  const { ours, theirs } = await connectedPair(system);
  let isStarted = false;
  return {
    start(call) {
      const started = startWith({ ours, theirs }, call);
      isStarted = true;
      // The program's own is the last one: when it closes that, we read its end.
      system.close(theirs);
      return started;
    },
    [Symbol.dispose]() {
      if (isStarted) return;
      system.close(theirs);
      ours.close();
    },
  };
}

/** Our end, and the descriptor of the program's, which blocks as programs expect it. */
interface SocketPair {
  readonly ours: Deno.Conn;
  readonly theirs: number;
}

async function connectedPair({ socket, connect, close }: Libc): Promise<SocketPair> {
  // An abstract name: it is in no file system, and gone with the listener.
  const path = `\0outlet-${crypto.randomUUID()}`;
  using listener = Deno.listen({ transport: "unix", path });
  const theirs = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  try {
    const address = new Uint8Array([AF_UNIX, 0, ...new TextEncoder().encode(path)]);
    if (theirs < 0 || connect(theirs, address, address.length) !== 0) {
      throw new Error("the system has no socket for it");
    }
    // Connected in the same turn in which it began to listen: nobody else can be the first.
    return { ours: await listener.accept(), theirs };
  } catch (error) {
    close(theirs);
    throw error;
  }
}

function startWith({ ours, theirs }: SocketPair, { file, args, ...call }: Call): Started {
  const child = spawn(file, [...args], { ...call, stdio: [theirs, theirs, "pipe"] });
  const status = statusOf(child);
  return { pid: child.pid!, stderr: stderrOf(child), status, ...streamsOf(ours, status) };
}

const tasks = new TaskScope("closing a program's socket", { without: "the program has ended" });

/** Both directions of the socket, which is closed once the program has ended and all that it wrote is read. */
function streamsOf(
  socket: Deno.Conn,
  status: Promise<unknown>,
): Pick<Started, "stdin" | "stdout"> {
  const read = Promise.withResolvers<void>();
  let isClosed = false;
  const close = () => {
    if (!isClosed) socket.close();
    isClosed = true;
  };
  tasks.run(Promise.all([status, read.promise]).then(close));
  return {
    stdin: new WritableStream({
      async write(bytes) {
        for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
      },
      async close() {
        if (!isClosed) await socket.closeWrite().catch(() => {});
      },
    }),
    stdout: new ReadableStream({
      type: "bytes",
      async pull(controller) {
        const request = controller.byobRequest!;
        // A program that ends with bytes unread resets the socket, behind all that it wrote.
        const length = await socket.read(request.view as Uint8Array<ArrayBuffer>).catch(() => null);
        if (length === null) {
          controller.close();
          read.resolve();
        }
        request.respond(length ?? 0);
      },
      cancel() {
        close();
        read.resolve();
      },
    }),
  };
}
