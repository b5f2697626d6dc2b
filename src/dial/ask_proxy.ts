/**
 * Asking a proxy to carry a connection.
 *
 * @module
 */
import type { InternetAddress } from "../socket/address.ts";
import type { Socket } from "../socket/connection.ts";
import type { Proxy, ProxyTalk } from "./proxy.ts";

/**
 * Asks the proxy at the other end of the socket for a connection to the target. From then on, what is
 * written to the socket goes to the target.
 *
 * @throws {Error} which tells the proxy's answer
 */
export async function askProxy(
  socket: Socket,
  { proxy, target }: { proxy: Proxy; target: InternetAddress },
): Promise<void> {
  const talk = await talkOf(proxy);
  await talk(socket, { target, credentials: proxy.credentials });
}

async function talkOf({ scheme }: Proxy): Promise<ProxyTalk> {
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
