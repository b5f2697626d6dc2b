/**
 * Listening. Everything that listens uses it; `dial.ts` is its counterpart.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import type { TurnLimits } from "../scheduling/turn_budget.ts";
import type { Listener, ListenOptions } from "./carrier.ts";
import { carrierOf } from "./carriers.ts";

export type { Listener, ListenOptions } from "./carrier.ts";

/**
 * The maximum number of connections that are accepted in one turn of the event loop. Without it,
 * clients that reset before they are accepted keep the runtime from other sockets for seconds.
 * There is no time limit, so occasional connections never wait.
 */
export const ACCEPT_TURN: TurnLimits = { units: 64, clockEvery: Infinity };

/**
 * Binds and listens. The acceptor starts the layers for each connection: see `acceptStage`.
 * @param purpose is what failed, in errors
 * @throws {Error} `cannot listen on 127.0.0.1:80: …` if the system refuses, with the system's error
 * as its cause
 */
export function listen(
  { address }: Pick<Endpoint, "address">,
  { purpose = "listen", ...options }: ListenOptions & { readonly purpose?: string },
): Listener {
  const carrier = carrierOf(address);
  try {
    return carrier.listen(address, options);
  } catch (cause) {
    const reason = carrier.listenFault(cause, address);
    throw new Error(`cannot ${purpose} on ${formatAddress(address)}: ${reason}`, { cause });
  }
}
