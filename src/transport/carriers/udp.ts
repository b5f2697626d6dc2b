/**
 * UDP (RFC 768).
 *
 * A datagram that a socket on `0.0.0.0` answers may leave from another address than the one it was
 * sent to, and the client would not take it for an answer. So a wildcard stands for a socket on
 * each local address.
 *
 * @module
 */
import {
  formatAddress,
  isIPv4,
  lacksZone,
  overUdp,
  type UdpAddress,
  zoneNeeded,
} from "../../endpoint/address.ts";
import type {
  DatagramCarrier,
  DatagramListener,
  DatagramListenOptions,
  DatagramSocket,
} from "../datagram_carrier.ts";
import { codeOf, explain } from "../errors.ts";
import { UnboundAddresses, type UnboundDatagram } from "./unbound_addresses.ts";
import { followLocalAddresses, localHosts } from "./local_hosts.ts";

/** The UDP carrier over IPv4 and IPv6. */
export const udp: DatagramCarrier = { listen, listenFault };

/** The most local addresses of one wildcard that get a socket. */
const MAX_ADDRESSES = 1_024;

/** How often another free port is tried, if one is free on some local addresses only. */
const PORT_ATTEMPTS = 16;

function listen(
  address: UdpAddress,
  { shared = false, alone = false }: DatagramListenOptions,
): DatagramListener {
  const { hostname, port } = address;
  if (!/^(0\.0\.0\.0|::)$/.test(hostname)) {
    if (shared && alone && port !== 0) bind(address).close();
    const socket = bind(address, shared);
    return { address: socket.address, sockets: [socket] };
  }
  if (shared && alone && port !== 0) closeAll(bindEach(address, false));
  const sockets = bindEach(address, shared);
  const bound = { ...address, port: sockets[0]!.address.port };
  return {
    address: bound,
    sockets,
    follow: (opened) => followAddresses(bound, { sockets, shared, opened }),
  };
}

/** Reports sockets for further local addresses: new ones, and those that a datagram was sent to. */
function followAddresses(
  bound: UdpAddress,
  { sockets, shared, opened }: {
    sockets: readonly DatagramSocket[];
    shared: boolean;
    opened(socket: DatagramSocket): void;
  },
): Disposable {
  const locals = sockets.map(({ address }) => address);
  const known = new Set(locals.map(({ hostname }) => hostname));
  const waiting = new Map<string, DatagramSocket>();
  const unbound = UnboundAddresses.open(locals.filter(({ hostname }) => isIPv4(hostname)), {
    bind(hostname) {
      if (known.size >= MAX_ADDRESSES) throw new Error(`more than ${MAX_ADDRESSES} addresses`);
      const socket = known.has(hostname) ? undefined : tryBind({ ...bound, hostname }, true);
      if (socket) waiting.set(hostname, socket);
      known.add(hostname);
    },
    opened(hostname, datagrams) {
      const socket = waiting.get(hostname);
      waiting.delete(hostname);
      if (socket) opened(receivingFirst(socket, datagrams));
    },
  });
  const following = followLocalAddresses(bound, (hostname) => {
    if (known.has(hostname)) return;
    known.add(hostname);
    const socket = tryBind({ ...bound, hostname }, shared || unbound !== undefined);
    if (socket) opened(socket);
  });
  return {
    [Symbol.dispose]() {
      unbound?.[Symbol.dispose]();
      following[Symbol.dispose]();
    },
  };
}

/** A socket that receives these datagrams first. */
function receivingFirst(
  socket: DatagramSocket,
  datagrams: readonly UnboundDatagram[],
): DatagramSocket {
  const first = [...datagrams];
  return {
    ...socket,
    receive(buffer) {
      const next = first.shift();
      if (!next) return socket.receive(buffer);
      const datagram = next.datagram.subarray(0, buffer.length);
      buffer.set(datagram);
      return Promise.resolve([buffer.subarray(0, datagram.length), next.from]);
    },
  };
}

/** A socket for each local address of the wildcard's family, all at the same port. */
function bindEach(address: UdpAddress, shared: boolean): DatagramSocket[] {
  for (let attempt = 1;; attempt++) {
    try {
      return bindAll(address, shared);
    } catch (error) {
      const isTaken = codeOf(error) === "EADDRINUSE" && address.port === 0;
      if (!isTaken || attempt === PORT_ATTEMPTS) throw error;
    }
  }
}

function bindAll(address: UdpAddress, shared: boolean): DatagramSocket[] {
  const sockets: DatagramSocket[] = [];
  let { port } = address;
  try {
    for (const hostname of localHosts(address.hostname)) {
      const socket = tryBind({ ...address, hostname, port }, shared);
      if (!socket) continue;
      port = socket.address.port;
      sockets.push(socket);
    }
  } catch (error) {
    closeAll(sockets);
    throw error;
  }
  if (sockets.length === 0) throw new Error("this machine has no address of that family");
  return sockets;
}

/** Binds a local address; `undefined` if it is not usable yet, or any more. */
function tryBind(address: UdpAddress, shared: boolean): DatagramSocket | undefined {
  try {
    return bind(address, shared);
  } catch (error) {
    if (codeOf(error) === "EADDRNOTAVAIL") return undefined;
    throw error;
  }
}

/** One socket; on a wildcard, the system chooses the address that each datagram comes from. */
export function bind(address: UdpAddress, shared = false): DatagramSocket {
  const socket = Deno.listenDatagram({ ...address, reuseAddress: shared });
  const { port } = socket.addr as Deno.NetAddr;
  return {
    address: overUdp({ hostname: address.hostname, port }),
    receive: (buffer) => socket.receive(buffer),
    // The number of bytes that it resolves to is always all of them.
    send: (datagram, to) => socket.send(datagram, to) as Promise<unknown> as Promise<void>,
    close: () => socket.close(),
  };
}

function closeAll(sockets: readonly DatagramSocket[]): void {
  for (const socket of sockets) socket.close();
}

function listenFault(cause: unknown, address: UdpAddress): string {
  const { hostname, port } = address;
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      return `${explain(cause)}; stop the program that has ${formatAddress(address)}, or take ` +
        "another port (0 takes a free one)";
    case "EINVAL":
      return !isIPv4(hostname) && lacksZone(hostname) ? zoneNeeded(hostname) : explain(cause);
    case "EACCES":
      return `${explain(cause)}; port ${port} needs root or the capability CAP_NET_BIND_SERVICE, ` +
        "or use a port from 1024 up";
    default:
      return explain(cause);
  }
}
