/**
 * How an outlet serves its clients.
 *
 * @module
 */
import type { TlsAcceptor } from "../transport/tls/acceptor.ts";
import type { Handler } from "../connection/connection.ts";
import type { Deadlines } from "../connection/deadlines.ts";
import type { TrustedProxies } from "../admission/trusted_proxies.ts";
import type { Capturing } from "../connection/tap.ts";

/** How clients are served: what may change from one client to the next. */
export interface OutletSettings {
  /** Serves each client. */
  readonly handler: Handler;
  /** The proxies that have to announce each client; without it, clients come by themselves. */
  readonly proxies?: TrustedProxies | undefined;
  /** Shakes hands with each client; without it there is no TLS. */
  readonly tls?: TlsAcceptor | undefined;
  /** Opens what writes a connection down; without it, nobody does. */
  readonly capture?: ((connection: number) => Promise<Capturing | undefined>) | undefined;
  /** Whether the kernel probes silent connections, so that those whose peer vanished end some day. */
  readonly keepAlive: boolean;
  /** When connections are hung up on. */
  readonly deadlines: Deadlines;
  /** When there may be no more connections: refuse who comes, or leave them waiting in the kernel's queue. */
  readonly whenFull: "refuse" | "defer";
}
