/**
 * Joins the sessions of UDP clients to stdin and stdout, as `nc -u -l` does.
 *
 * @module
 */
import type { DatagramHandler, Session } from "../connection/session.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { LONGEST_DATAGRAM } from "../transport/datagram_carrier.ts";
import { explain, faultOf } from "../transport/errors.ts";
import type { ServiceContext } from "./service.ts";

const tasks = new TaskScope("copying stdin to datagrams", {
  consequence: "clients are still read",
});

/** Options of {@linkcode joinDatagrams}. */
export interface JoinOptions {
  /** Whether the next client is served when the last one is idle. */
  readonly keep: boolean;
  /** Whether one client is served at a time, or all. */
  readonly clients: "one" | "many";
}

/**
 * Writes datagrams to stdout, and sends each chunk of stdin as a datagram. The first client is
 * served until it is idle, then the process ends; the datagrams of others are dropped. With
 * `clients=many` all of them are served.
 */
export function joinDatagrams(
  { keep, clients }: JoinOptions,
  { standard, signal, failed }: ServiceContext,
): DatagramHandler {
  const present = new Set<Session>();
  let arrival = Promise.withResolvers<void>();
  let isReading = false;
  const copyInput = async () => {
    try {
      for await (const chunk of standard.input) {
        if (present.size === 0) await arrival.promise;
        if (signal.aborted) return;
        for (const session of present) {
          await sendAll(session, chunk).catch((error) => session.close(faultOf(error)));
        }
      }
    } catch (error) {
      failed(`cannot send stdin: ${explain(error)}; clients are still read`);
    }
  };
  return (session) => {
    if (clients === "one" && present.size > 0) {
      return { receive: () => session.drop("another client is connected") };
    }
    present.add(session);
    arrival.resolve();
    if (!isReading) tasks.run(copyInput());
    isReading = true;
    return {
      receive: (datagram) => standard.write(datagram),
      close() {
        present.delete(session);
        if (present.size > 0) return;
        arrival = Promise.withResolvers();
        if (!keep) standard.end(true);
      },
    };
  };
}

/** Sends a chunk as a datagram, or as several if it is longer than one can be. */
async function sendAll(session: Session, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; at += LONGEST_DATAGRAM) {
    await session.write(chunk.subarray(at, at + LONGEST_DATAGRAM));
  }
}
