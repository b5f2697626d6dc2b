/**
 * Asking a proxy to carry a connection.
 *
 * @module
 */
import type { ByteStream } from "../stream.ts";
import type { Proxy } from "../../endpoint/proxy.ts";
import type { ProxyHandshake, ProxyHandshakeRequest } from "./handshake.ts";

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
  const handshake = await handshakeOf(request.proxy);
  return await handshake(socket, request);
}

async function handshakeOf({ scheme }: Proxy): Promise<ProxyHandshake> {
  switch (scheme) {
    case "http":
      return (await import("./http_connect.ts")).httpConnect;
    case "socks4":
    case "socks4a":
      return (await import("./socks4.ts")).socks4;
    case "socks5":
    case "socks5h":
      return (await import("./socks5.ts")).socks5;
  }
}
