/**
 * Listening, for everything that does: `dial.ts` is the other way in.
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
 * Clients that are taken out of a kernel's queue in one turn of the event loop. Without an end to it, clients that
 * reset before they are accepted kept the runtime from looking at any other socket for seconds. They are counted and
 * not timed: whoever comes now and then waits for nothing.
 */
export const ACCEPT_TURN: TurnLimits = { units: 64, clockEvery: Infinity };

/**
 * Binds and listens. Layers are for whoever accepts, each client apart: see `acceptStage`.
 *
 * @param purpose is what an error says cannot be done there
 * @throws {Error} `cannot listen on 127.0.0.1:80: …` when the system refuses; the cause is its error.
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
