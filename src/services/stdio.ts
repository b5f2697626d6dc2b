import { showProgress } from "../terminal/progress.ts";
import { choice } from "../options/kinds.ts";
import { flag, option } from "../options/option.ts";
import type { Connection, Handler } from "../connection/connection.ts";
import { bridgeStdio } from "../connection/stdio_bridge.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import { joinDatagrams } from "./stdio_datagrams.ts";
import { type Service, service, type ServiceContext, type StandardStreams } from "./service.ts";

/** Connects a client to this process's stdin and stdout, as `nc -l` does, and then exits. */
export const stdio: Service = service({
  name: "stdio",
  summary: "connect one client to stdin and stdout, as nc -l does, then exit",
  options: {
    keep: flag("serve the next client when one has disconnected", { short: "k" }),
    clients: option(
      choice(["one", "many"]),
      "one client at a time; or many: all receive stdin, and their data is merged",
      { default: "one" },
    ),
    progress: flag("show byte counts and rates on the terminal"),
  },
  datagram: {
    answers: "relayed",
    unused: { progress: "its counts are those of one stream" },
    open: joinDatagrams,
  },
  open({ keep, clients, progress }, { standard, signal, failed }) {
    const shared = { keep, progress, standard };
    return clients === "many"
      ? serveConcurrently({ ...shared, signal, failed })
      : serveInTurn(shared);
  },
});

/** What all clients share. */
interface Shared {
  readonly keep: boolean;
  readonly progress: boolean;
  readonly standard: StandardStreams;
}

type SharedByMany = Shared & Pick<ServiceContext, "signal" | "failed">;

/** Serves one client after the other; without `keep`, only the first. */
function serveInTurn({ keep, progress, standard }: Shared): Handler {
  const input = shareable(standard.input);
  let turn = Promise.resolve();
  let taken = false;
  return async (connection) => {
    if (taken && !keep) return connection.reset("refused: another client is connected");
    taken = true;
    const before = turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    turn = promise;
    await before;
    let isOk = false;
    try {
      using _progress = progressOf(connection, { progress, standard });
      await bridgeStdio(connection, { input, show: standard.write }, { halfClose: true });
      isOk = true;
    } finally {
      resolve();
      if (!keep) standard.end(isOk);
    }
  };
}

const tasks = new TaskScope("copying stdin to clients", { consequence: "clients are still read" });

/** Serves all clients at the same time; stdin is read at the pace of the slowest. */
function serveConcurrently({ keep, progress, standard, signal, failed }: SharedByMany): Handler {
  const present = new Set<Connection>();
  let input: "unread" | "read" | "ended" = "unread";
  let writing = Promise.resolve();
  const each = (act: (connection: Connection) => Promise<void>) =>
    Promise.allSettled([...present].map(act));
  const copyInput = async () => {
    try {
      for await (const chunk of standard.input) {
        if (signal.aborted) return;
        await each((connection) => connection.write(chunk));
      }
    } catch (error) {
      failed(`cannot read stdin: ${explain(error)}; clients see its end`);
    }
    input = "ended";
    await each((connection) => connection.closeWrite());
  };
  return async (connection) => {
    present.add(connection);
    if (input === "unread") {
      input = "read";
      tasks.run(copyInput);
    }
    try {
      using _progress = progressOf(connection, { progress, standard });
      if (input === "ended") await connection.closeWrite();
      for await (const chunk of connection.chunks()) {
        // One write at a time, so that the chunks of clients do not mix.
        await (writing = writing.then(() => standard.write(chunk)));
      }
    } finally {
      present.delete(connection);
      if (!keep && present.size === 0) standard.end(true);
    }
  };
}

function progressOf(
  connection: Connection,
  { progress, standard: { status } }: Pick<Shared, "progress" | "standard">,
): Disposable | undefined {
  return progress && status ? showProgress(connection, { status, size: undefined }) : undefined;
}

/** An input for several readers, one after the other: a chunk that one requested and did not get goes to the next. */
function shareable(input: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const source = input[Symbol.asyncIterator]();
  let pending: Promise<IteratorResult<Uint8Array>> | undefined;
  const next = async () => {
    const mine = pending ??= source.next();
    const result = await mine;
    if (pending === mine && !result.done) pending = undefined;
    return result;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
