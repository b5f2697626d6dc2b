/**
 * Asking a proxy to carry a connection.
 *
 * @module
 */
import type { ByteStream } from "../stream.ts";
import type { Proxy } from "../../endpoint/proxy.ts";
import type { ProxyHandshake, ProxyHandshakeRequest } from "./handshake.ts";

/** What each scheme speaks, loaded once it is needed. */
export const HANDSHAKES: Readonly<Record<Proxy["scheme"], () => Promise<ProxyHandshake>>> = {
  http: async () => (await import("./http_connect.ts")).httpConnect,
  socks4: async () => (await import("./socks4.ts")).socks4,
  socks4a: async () => (await import("./socks4.ts")).socks4,
  socks5: async () => (await import("./socks5.ts")).socks5,
  socks5h: async () => (await import("./socks5.ts")).socks5,
};

/**
 * Asks the proxy at the other end of the socket for a connection to the target. What is written to the stream that is
 * returned goes to the target.
 *
 * @throws {Error} which tells the proxy's answer
 */
export async function connectToTarget(
  socket: ByteStream,
  request: ProxyHandshakeRequest,
): Promise<ByteStream> {
  const handshake = await HANDSHAKES[request.proxy.scheme]();
  return await handshake(socket, request);
}
