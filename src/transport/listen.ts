/**
 * Listens on an endpoint: outlets, metrics and console. `dial.ts` is its counterpart.
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
 * Binds and listens. Accepted connections are without layers such as TLS: see `acceptStage`.
 *
 * @param purpose is the verb in errors: `cannot serve metrics on …`
 * @throws {Error} `cannot listen on 127.0.0.1:80: …`, with the system's error as its cause
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
