/**
 * Endpoints: what is listened on or dialled.
 *
 * @module
 */
import type { Address } from "./address.ts";
import type { Proxy } from "./proxy.ts";
import type { LocalEnd } from "./source.ts";

/**
 * An address, the layers over its carrier, and the proxy to connect through. `Layers` has the
 * options of each layer of `transport/layers.ts` by name, as a client or as a server.
 */
export interface Endpoint<Layers = Readonly<Record<string, never>>> {
  /** The address. */
  readonly address: Address;
  /** The layers over the carrier; without them, plain bytes. */
  readonly layers?: Layers | undefined;
  /** The proxy to connect through. Listening endpoints have none. */
  readonly proxy?: Proxy | undefined;
  /** Where the connection has to come from. Listening endpoints have none. */
  readonly from?: LocalEnd | undefined;
}
