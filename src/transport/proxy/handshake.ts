/**
 * What a proxy protocol is to its client.
 *
 * @module
 */
import type { InternetAddress } from "../../endpoint/address.ts";
import type { Proxy } from "../../endpoint/proxy.ts";
import type { ByteStream } from "../stream.ts";

/** What is asked of a proxy. */
export interface ProxyHandshakeRequest {
  /** The proxy, and who we are to it. */
  readonly proxy: Proxy;
  /** Where it is to connect. */
  readonly target: InternetAddress;
  /** Connects to it anew; the connection before is closed. */
  redial(): Promise<ByteStream>;
}

/**
 * Speaks one proxy protocol to its end, over a socket that is connected to the proxy. What is returned leads to the
 * target: the same socket, or another one where the proxy ended that.
 */
export type ProxyHandshake = (
  socket: ByteStream,
  request: ProxyHandshakeRequest,
) => Promise<ByteStream>;
