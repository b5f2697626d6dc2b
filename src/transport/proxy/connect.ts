/**
 * Connects through a proxy.
 *
 * @module
 */
import type { ByteStream } from "../stream.ts";
import type { Proxy } from "../../endpoint/proxy.ts";
import type { ProxyHandshake, ProxyHandshakeRequest } from "./handshake.ts";

/** The client of each scheme, imported on first use. */
export const HANDSHAKES: Readonly<Record<Proxy["scheme"], () => Promise<ProxyHandshake>>> = {
  http: async () => (await import("./http_connect.ts")).httpConnect,
  socks4: async () => (await import("./socks4.ts")).socks4,
  socks4a: async () => (await import("./socks4.ts")).socks4,
  socks5: async () => (await import("./socks5.ts")).socks5,
  socks5h: async () => (await import("./socks5.ts")).socks5,
};

/**
 * Asks the proxy for a connection to the target. The returned stream leads to the target.
 * @throws {Error} the proxy's response
 */
export async function connectToTarget(
  socket: ByteStream,
  request: ProxyHandshakeRequest,
): Promise<ByteStream> {
  const handshake = await HANDSHAKES[request.proxy.scheme]();
  return await handshake(socket, request);
}
