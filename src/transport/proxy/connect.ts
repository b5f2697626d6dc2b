/**
 * Asking a proxy to carry a connection.
 *
 * @module
 */
import type { InternetAddress } from "../../endpoint/address.ts";
import type { ByteStream } from "../stream.ts";
import type { Proxy } from "../../endpoint/proxy.ts";
import type { ProxyHandshake } from "./handshake.ts";

/**
 * Asks the proxy at the other end of the socket for a connection to the target. From then on, what is
 * written to the socket goes to the target.
 *
 * @throws {Error} which tells the proxy's answer
 */
export async function connectToTarget(
  socket: ByteStream,
  { proxy, target }: { proxy: Proxy; target: InternetAddress },
): Promise<void> {
  const talk = await handshakeOf(proxy);
  await talk(socket, { target, credentials: proxy.credentials });
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
