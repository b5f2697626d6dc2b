/**
 * What is listened on or dialled, as a whole.
 *
 * @module
 */
import type { Address } from "./address.ts";
import type { Proxy } from "./proxy.ts";

/**
 * An address, what is spoken over it, and who connects in our stead. `Layers` has the options of each layer by its name:
 * the layers of `transport/layers.ts` as a client, or as a server, has them.
 */
export interface Endpoint<Layers = Readonly<Record<string, never>>> {
  /** Where it is. */
  readonly address: Address;
  /** What is spoken over its carrier; without them, the bytes as they are. */
  readonly layers?: Layers | undefined;
  /** Who connects in our stead; nobody can listen through one. */
  readonly proxy?: Proxy | undefined;
}
