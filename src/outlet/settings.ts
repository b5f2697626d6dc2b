/**
 * How an outlet serves its clients.
 *
 * @module
 */
import type { Handler } from "../connection/connection.ts";
import type { Deadlines } from "../connection/deadlines.ts";
import type { TrustedProxies } from "../admission/trusted_proxies.ts";
import type { ServerLayers } from "../transport/layers.ts";
import type { Stage } from "../transport/stage.ts";

/** How clients are served: what may change from one client to the next. */
export interface OutletSettings {
  /** Serves each client. */
  readonly handler: Handler;
  /** The proxies that have to announce each client; without it, clients come by themselves. */
  readonly proxies?: TrustedProxies | undefined;
  /** What is spoken over each client's socket; without it, its bytes are what they are. */
  readonly layers?: ServerLayers | undefined;
  /** The SHA-256 of the certificate that clients are shown first, in lower-case hex; for whoever pins it. */
  readonly certificate?: string | undefined;
  /** Writes each connection down; without it, nobody does. */
  readonly capture?: Stage | undefined;
  /** Whether the kernel probes silent connections, so that those whose peer vanished end some day. */
  readonly keepAlive: boolean;
  /** When connections are hung up on. */
  readonly deadlines: Deadlines;
  /** When there may be no more connections: refuse who comes, or leave them waiting in the kernel's queue. */
  readonly whenFull: "refuse" | "defer";
}
