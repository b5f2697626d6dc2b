/**
 * TCP (RFC 9293).
 *
 * @module
 */
import { type InternetAddress, lacksZone, zoneNeeded } from "../../endpoint/address.ts";
import type { Carrier, ConnectOptions, Listener, ListenOptions } from "../carrier.ts";
import { SelfConnect } from "../dial_error.ts";
import { codeOf, explain } from "../errors.ts";
import { portHolder } from "../port_holder.ts";
import type { ByteStream } from "../stream.ts";

/** The TCP carrier over IPv4 and IPv6. */
export const tcp: Carrier<InternetAddress> = { listen, connect, listenFault };

function listen(
  { hostname, port }: InternetAddress,
  { backlog, shared = false, alone = false }: ListenOptions,
): Listener {
  if (shared && alone && port !== 0) Deno.listen({ hostname, port, tcpBacklog: 1 }).close();
  const listener = Deno.listen({
    hostname,
    port,
    transport: "tcp",
    tcpBacklog: backlog,
    reusePort: shared,
  });
  return zoned(listener, hostname);
}

/** Adds the zone to the listener's address, which Deno omits. */
function zoned(listener: Deno.TcpListener, hostname: string): Listener {
  if (!hostname.includes("%")) return listener;
  return {
    addr: { ...listener.addr, hostname },
    accept: () => listener.accept(),
    close: () => listener.close(),
  };
}

/** Connects with `TCP_NODELAY` and keep-alive on. */
async function connect(
  { hostname, port }: InternetAddress,
  { signal, source, keepAliveTimes }: ConnectOptions,
): Promise<ByteStream> {
  const address = { hostname, port };
  const connection = source === undefined
    ? await connectPlainly(address, signal)
    : await (await import("./tcp_from.ts")).connectFrom(address, { source, signal });
  if (keepAliveTimes === undefined) return connection;
  try {
    const { setKeepAliveTimes } = await import("../keep_alive.ts");
    setKeepAliveTimes(connection, keepAliveTimes);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

async function connectPlainly(
  { hostname, port }: InternetAddress,
  signal: AbortSignal,
): Promise<ByteStream> {
  const connection = await Deno.connect({ hostname, port, signal });
  if (isSelf(connection)) {
    connection.close();
    throw new SelfConnect();
  }
  connection.setNoDelay(true);
  connection.setKeepAlive(true);
  return connection;
}

/**
 * Whether a socket is connected to itself: the kernel chose the target's port as the local port,
 * and nothing listens there (simultaneous open, RFC 9293 section 3.5).
 */
function isSelf({ localAddr, remoteAddr }: Deno.TcpConn): boolean {
  return localAddr.port === remoteAddr.port && localAddr.hostname === remoteAddr.hostname;
}

function listenFault(cause: unknown, { hostname, port }: InternetAddress): string {
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      if (portHolder(port) === "connection") {
        return `nothing listens there, but an outgoing connection of this machine uses port ${port} ` +
          "as its local port: wait until it ends, or use a port outside net.ipv4.ip_local_port_range";
      }
      return `${
        explain(cause)
      }; stop what listens there, or take another port (0 takes a free one)`;
    case "EINVAL":
      return lacksZone(hostname) ? zoneNeeded(hostname) : explain(cause);
    case "EACCES":
      return `${explain(cause)}; port ${port} needs root or the capability CAP_NET_BIND_SERVICE, ` +
        "or use a port from 1024 up";
    default:
      return explain(cause);
  }
}
