/**
 * The settings of an outlet.
 *
 * @module
 */
import type { Connection, Handler } from "../connection/connection.ts";
import type { Deadlines } from "../connection/deadlines.ts";
import type { TrustedProxies } from "../admission/trusted_proxies.ts";
import type { KeepAliveTimes } from "../transport/keep_alive_options.ts";
import type { ServerLayers } from "../transport/layers.ts";
import type { Stage } from "../transport/stage.ts";

/** The settings of an outlet. They may change from one connection to the next. */
export interface OutletSettings {
  /** Serves each connection. */
  readonly handler: Handler;
  /**
   * The trusted proxies, whose PROXY header names the client; `undefined` without `accept-proxy`.
   */
  readonly proxies?: TrustedProxies | undefined;
  /** The layers over each socket, such as TLS. */
  readonly layers?: ServerLayers | undefined;
  /** The SHA-256 of the outlet's certificate in lower-case hex, for clients that pin it. */
  readonly certificate?: string | undefined;
  /** The stage that writes the bytes of each connection to a file. */
  readonly capture?: Stage | undefined;
  /** The stage that writes the bytes of all connections to the outlet's output files. */
  readonly output?: Stage | undefined;
  /** Whether a CR is sent before every LF that lacks one. */
  readonly crlf?: boolean | undefined;
  /** With `once`: called when the first admitted client has been served, the only one. */
  readonly onServed?: ((connection: Connection) => void) | undefined;
  /** Whether TCP keep-alive is on (RFC 9293 3.8.4). */
  readonly keepAlive: boolean;
  /** When keep-alive probes are sent; the system's times by default. */
  readonly keepAliveTimes?: KeepAliveTimes | undefined;
  /** When connections are closed by a deadline. */
  readonly deadlines: Deadlines;
  /**
   * At the connection limit: refuse new connections, or leave them in the kernel's accept queue.
   */
  readonly whenFull: "refuse" | "defer";
}
