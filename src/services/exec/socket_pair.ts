/**
 * Starts programs with a socket for stdin and stdout, for programs that require one: one of two connected Unix sockets
 * is the program's, the other is read and written by Deno.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { type Libc, libc } from "../../transport/libc.ts";
import { writeAll } from "../../transport/write_all.ts";
import { statusOf, stderrOf } from "./node_socket.ts";
import type { SocketStarter, SpawnCall, SpawnedProgram } from "./spawn.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
/** Keeps programs that are started concurrently from inheriting the descriptor. */
const SOCK_CLOEXEC = 0o2000000;

/** A starter for one program; `undefined` without libc. */
export async function openSocketPair(): Promise<SocketStarter | undefined> {
  const system = libc();
  if (!system) return undefined;
  const { ours, theirs } = await connectedPair(system);
  let isStarted = false;
  return {
    start(call) {
      const started = spawnWith({ ours, theirs }, call);
      isStarted = true;
      // Only the program has this descriptor now: when it closes it, we read the end.
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

/** Our socket, and the descriptor of the program's, which is in blocking mode. */
interface SocketPair {
  readonly ours: Deno.Conn;
  readonly theirs: number;
}

async function connectedPair({ socket, connect, close }: Libc): Promise<SocketPair> {
  // An abstract name (unix(7)): it is not in the file system, and ends with the listener.
  const path = `\0outlet-${crypto.randomUUID()}`;
  using listener = Deno.listen({ transport: "unix", path });
  const theirs = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  try {
    const address = new Uint8Array([AF_UNIX, 0, ...new TextEncoder().encode(path)]);
    if (theirs < 0 || connect(theirs, address, address.length) !== 0) {
      throw new Error("the system could not create a socket for it");
    }
    // connect(2) was called before the event loop could accept any other connection.
    return { ours: await listener.accept(), theirs };
  } catch (error) {
    close(theirs);
    throw error;
  }
}

function spawnWith(
  { ours, theirs }: SocketPair,
  { file, args, ...call }: SpawnCall,
): SpawnedProgram {
  const child = spawn(file, [...args], { ...call, stdio: [theirs, theirs, "pipe"] });
  const status = statusOf(child);
  return { pid: child.pid!, stderr: stderrOf(child), status, ...streamsOf(ours, status) };
}

const tasks = new TaskScope("closing a program's socket", { consequence: "the program has ended" });

/** The streams of our socket, which is closed once the program has ended and all its output is read. */
function streamsOf(
  socket: Deno.Conn,
  status: Promise<unknown>,
): Pick<SpawnedProgram, "stdin" | "stdout"> {
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
        await writeAll(socket, bytes);
      },
      async close() {
        if (!isClosed) await socket.closeWrite().catch(() => {});
      },
    }),
    stdout: new ReadableStream({
      type: "bytes",
      async pull(controller) {
        const request = controller.byobRequest!;
        // A program that exits with unread input resets the socket, after all that it wrote.
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
