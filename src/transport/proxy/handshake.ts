/**
 * The interface of proxy protocols.
 *
 * @module
 */
import type { InternetAddress } from "../../endpoint/address.ts";
import type { Proxy } from "../../endpoint/proxy.ts";
import type { ByteStream } from "../stream.ts";

/** Options of a {@linkcode ProxyHandshake}. */
export interface ProxyHandshakeRequest {
  /** The proxy, with its credentials. */
  readonly proxy: Proxy;
  /** The target. */
  readonly target: InternetAddress;
  /** Connects to the proxy again and closes the last connection. */
  redial(): Promise<ByteStream>;
}

/**
 * Runs the handshake of one proxy protocol over a connection to the proxy. Returns a stream to the
 * target: the same connection, or a new one if the proxy closed it.
 */
export type ProxyHandshake = (
  socket: ByteStream,
  request: ProxyHandshakeRequest,
) => Promise<ByteStream>;
