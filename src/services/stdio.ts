import { showProgress } from "../terminal/progress.ts";
import { choice } from "../options/kinds.ts";
import { flag, option } from "../options/option.ts";
import type { Connection, Handler } from "../connection/connection.ts";
import { bridgeStdio } from "../connection/stdio_bridge.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import { type Service, service, type ServiceContext, type Standard } from "./service.ts";

/** Joins a client to this process's stdin and stdout, as `nc -l` does, and ends with it. */
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
  open({ keep, clients, progress }, { standard, signal, failed }) {
    const ends = { keep, progress, standard };
    return clients === "many" ? together({ ...ends, signal, failed }) : inTurn(ends);
  },
});

/** What the clients share. */
interface Shared {
  readonly keep: boolean;
  readonly progress: boolean;
  readonly standard: Standard;
}

/** What clients share who are there at the same time. */
type SharedByMany = Shared & Pick<ServiceContext, "signal" | "failed">;

/** One client after the other; without `keep`, only the first. */
function inTurn({ keep, progress, standard }: Shared): Handler {
  const input = lasting(standard.input);
  let turn = Promise.resolve();
  let taken = false;
  return async (connection) => {
    if (taken && !keep) return connection.reset("refused: there is one client already");
    taken = true;
    const before = turn;
    const { promise, resolve } = Promise.withResolvers<void>();
    turn = promise;
    await before;
    let well = false;
    try {
      using _progress = shownProgress(connection, { progress, standard });
      await bridgeStdio(connection, { input, show: standard.write }, { halfClose: true });
      well = true;
    } finally {
      resolve();
      if (!keep) standard.end(well);
    }
  };
}

const tasks = new TaskScope("passing stdin on to clients", { without: "they are still read" });

/** All clients at the same time, at the pace of the slowest who still reads. */
function together({ keep, progress, standard, signal, failed }: SharedByMany): Handler {
  const present = new Set<Connection>();
  let input: "unread" | "read" | "ended" = "unread";
  let writing = Promise.resolve();
  const each = (act: (connection: Connection) => Promise<void>) =>
    Promise.allSettled([...present].map(act));
  const passOn = async () => {
    try {
      for await (const chunk of standard.input) {
        if (signal.aborted) return;
        await each((connection) => connection.write(chunk));
      }
    } catch (error) {
      failed(`cannot read stdin: ${explain(error)}; clients read an end`);
    }
    input = "ended";
    await each((connection) => connection.closeWrite());
  };
  return async (connection) => {
    present.add(connection);
    if (input === "unread") {
      input = "read";
      tasks.run(passOn);
    }
    try {
      using _progress = shownProgress(connection, { progress, standard });
      if (input === "ended") await connection.closeWrite();
      for await (const chunk of connection.chunks()) {
        // One write at a time, so that what one client says stays together.
        await (writing = writing.then(() => standard.write(chunk)));
      }
    } finally {
      present.delete(connection);
      if (!keep && present.size === 0) standard.end(true);
    }
  };
}

function shownProgress(
  connection: Connection,
  { progress, standard: { status } }: Pick<Shared, "progress" | "standard">,
): Disposable | undefined {
  return progress && status ? showProgress(connection, { status, size: undefined }) : undefined;
}

/**
 * The same input for one reader after the other: who leaves does not end it, and what was asked for and not yet
 * taken goes to the next.
 */
function lasting(input: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const source = input[Symbol.asyncIterator]();
  let asked: Promise<IteratorResult<Uint8Array>> | undefined;
  const next = async () => {
    const mine = asked ??= source.next();
    const result = await mine;
    if (asked === mine && !result.done) asked = undefined;
    return result;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}
