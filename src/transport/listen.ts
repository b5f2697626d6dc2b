/**
 * Listening, for everything that does: `dial.ts` is the other way in.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import type { Listener, ListenOptions } from "./carrier.ts";
import { carrierOf } from "./carriers.ts";

export type { Listener, ListenOptions } from "./carrier.ts";

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
