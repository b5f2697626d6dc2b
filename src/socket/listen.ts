/**
 * Opening a welcome socket, and what it means when the system won't.
 *
 * @module
 */
import { formatAddress, type InternetAddress } from "./address.ts";
import { codeOf, explain } from "./faults.ts";

/** What an outlet needs of a listening socket. */
export type Listener = Pick<Deno.TcpListener, "accept" | "close" | "addr">;

/**
 * Binds and listens. `backlog` clients may wait to be accepted; the kernel caps it at `net.core.somaxconn`.
 *
 * @throws {Error} `cannot listen on 127.0.0.1:80: …` when the system refuses; the cause is its error.
 */
export function listenOn(address: InternetAddress, { backlog }: { backlog: number }): Listener {
  try {
    return Deno.listen({ ...address, transport: "tcp", tcpBacklog: backlog });
  } catch (cause) {
    throw new Error(`cannot listen on ${formatAddress(address)}: ${reasonFor(cause, address)}`, {
      cause,
    });
  }
}

/** Why the system would not listen there, and what to do about it. */
function reasonFor(cause: unknown, { port }: InternetAddress): string {
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      return `${
        explain(cause)
      }; stop what listens there, or take another port (0 takes a free one)`;
    case "EACCES":
      return `${explain(cause)}; port ${port} needs root or the capability CAP_NET_BIND_SERVICE, ` +
        "or take a port from 1024 up";
    default:
      return explain(cause);
  }
}
