/**
 * UDP ASSOCIATE: relays datagrams between a client and whom it sends to (RFC 1928, section 7).
 *
 * An association has a socket for its client, at the address where its control connection came in,
 * and one for each version of IP that it sends from. It ends with the control connection.
 *
 * @module
 */
import type { Connection } from "../../connection/connection.ts";
import {
  type Address,
  canonicalHost,
  type InternetAddress,
  isIP,
  isUnix,
  overUdp,
} from "../../endpoint/address.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { TurnBudget } from "../../scheduling/turn_budget.ts";
import { LONGEST_DATAGRAM } from "../../transport/datagram_carrier.ts";
import {
  type DatagramSocket,
  listenDatagrams,
  openDatagramSocket,
} from "../../transport/datagrams.ts";
import { lookUp } from "../../transport/dial_address.ts";
import { faultOf } from "../../transport/errors.ts";
import { refusalOf } from "./connector.ts";
import type { Destinations } from "./destinations.ts";
import { Refusal } from "./refusal.ts";
import { readUdpMessage, writeUdpMessage } from "./udp_message.ts";

const tasks = new TaskScope("relaying datagrams of a proxy's client", {
  consequence: "that association no longer relays",
});

/** The most associations of a thread: each has buffers of 64 KiB for every socket. */
const MAX_ASSOCIATIONS = 1_024;

/** The most addresses that may answer; the least recently used one no longer may. */
const MAX_REMOTES = 1_024;

/** The most datagrams that wait for the look-up of a name. */
const MAX_LOOKUPS = 16;

let associations = 0;

/** Options of {@linkcode Association}. */
export interface AssociationOptions {
  /** The client, over its control connection. */
  readonly client: Connection;
  /** The address that the client says that it sends from; zeros if it does not know. */
  readonly origin: InternetAddress;
  /** Where it may send to. */
  readonly destinations: Destinations;
  /** The address of this machine to send from. */
  readonly source: string | undefined;
}

/** One association. */
export class Association implements Disposable {
  readonly #options: AssociationOptions;
  readonly #clientHost: string;
  readonly #inner: DatagramSocket;
  /** The sockets to send from, by version of IP. */
  readonly #outer = new Map<4 | 6, DatagramSocket>();
  /** The addresses that were sent to, which may answer. */
  readonly #remotes = new Set<string>();
  readonly #dropped = new Map<string, number>();
  #clientPort: number;
  #lookups = 0;
  #counts = { in: 0, out: 0 };
  #isClosed = false;

  /**
   * Opens the socket for the client.
   * @throws {Refusal} if there is none to be had
   */
  constructor(options: AssociationOptions) {
    const { client: { peer, local }, origin } = this.#options = options;
    if (isUnix(peer) || isUnix(local)) {
      throw new Refusal("not supported", "UDP ASSOCIATE needs a client with an IP address");
    }
    if (associations >= MAX_ASSOCIATIONS) throw new Refusal("busy", "too many UDP associations");
    this.#clientHost = peer.hostname;
    // Behind address translation, the client knows neither its address nor its port.
    this.#clientPort = origin.hostname === peer.hostname ? origin.port : 0;
    try {
      [this.#inner] = listenDatagrams(overUdp({ ...local, port: 0 })).sockets as [DatagramSocket];
    } catch (error) {
      throw refusalOf(error as Error);
    }
    associations++;
  }

  /** The address that the client has to send to. */
  get address(): Address {
    return this.#inner.address;
  }

  /** Relays until the client ends its control connection. */
  async relay(): Promise<void> {
    const { client } = this.#options;
    tasks.run(this.#receive(this.#inner, (datagram, from) => this.#fromClient(datagram, from)));
    while (await client.read() !== null);
  }

  /** Closes its sockets, and notes what it relayed. */
  [Symbol.dispose](): void {
    const { client } = this.#options;
    this.#isClosed = true;
    associations--;
    for (const socket of [this.#inner, ...this.#outer.values()]) socket.close();
    client.note("datagrams-in", this.#counts.in);
    client.note("datagrams-out", this.#counts.out);
    if (this.#dropped.size === 0) return;
    client.note("dropped", [...this.#dropped].map(([why, count]) => `${count} ${why}`).join("; "));
  }

  /** Handles each datagram of a socket until it is closed. */
  async #receive(
    socket: DatagramSocket,
    handle: (datagram: Uint8Array, from: InternetAddress) => void | Promise<void>,
  ): Promise<void> {
    const buffer = new Uint8Array(LONGEST_DATAGRAM);
    const budget = new TurnBudget();
    while (!this.#isClosed) {
      const received = await this.#next(socket, buffer);
      if (!received) return;
      const [datagram, sender] = received;
      const { hostname, port } = sender as Deno.NetAddr;
      try {
        await handle(datagram, { hostname: canonicalHost(hostname), port });
      } catch {
        this.#drop("not sent");
      }
      await budget.spend();
    }
  }

  /** The next datagram; `undefined` once the socket is closed. */
  async #next(
    socket: DatagramSocket,
    buffer: Uint8Array,
  ): Promise<[Uint8Array, Deno.Addr] | undefined> {
    try {
      return await socket.receive(buffer);
    } catch (error) {
      if (!this.#isClosed) this.#options.client.close(faultOf(error));
    }
  }

  #fromClient(datagram: Uint8Array, { hostname, port }: InternetAddress): void | Promise<void> {
    if (hostname !== this.#clientHost) return this.#drop("not from the client");
    if (this.#clientPort !== 0 && port !== this.#clientPort) {
      return this.#drop("from another port");
    }
    const message = readUdpMessage(datagram);
    if (typeof message === "string") return this.#drop(message);
    this.#clientPort = port;
    this.#counts.in++;
    this.#options.client.bytesIn += datagram.length;
    const { target, data } = message;
    if (isIP(target.hostname)) return this.#send(data, target);
    this.#resolve(target, data.slice());
  }

  /** Looks the name up; other datagrams do not wait for it. */
  #resolve(target: InternetAddress, data: Uint8Array): void {
    if (this.#lookups >= MAX_LOOKUPS) return this.#drop("too many look-ups");
    this.#lookups++;
    const run = async () => {
      const { client, destinations, source } = this.#options;
      try {
        const found = await lookUp(target.hostname, {
          signal: client.closed,
          from: source === undefined ? undefined : { hostname: source },
        });
        const [hostname] = destinations.allowed(found, {
          client: client.peer,
          name: target.hostname,
        });
        await this.#send(data, { ...target, hostname: hostname! });
      } catch (error) {
        this.#drop(error instanceof Refusal ? "not allowed" : "unknown name");
      } finally {
        this.#lookups--;
      }
    };
    tasks.run(run);
  }

  async #send(data: Uint8Array, { hostname, port }: InternetAddress): Promise<void> {
    if (this.#isClosed) return;
    if (!this.#remotes.has(hostname) && !this.#isAllowed(hostname)) {
      return this.#drop("not allowed");
    }
    this.#remotes.delete(hostname);
    this.#remotes.add(hostname);
    if (this.#remotes.size > MAX_REMOTES) {
      this.#remotes.delete(this.#remotes.values().next().value!);
    }
    await this.#outerFor(hostname).send(data, overUdp({ hostname, port }));
  }

  #isAllowed(hostname: string): boolean {
    const { client, destinations } = this.#options;
    try {
      destinations.allowed([hostname], { client: client.peer, name: hostname });
      return true;
    } catch {
      return false;
    }
  }

  #outerFor(hostname: string): DatagramSocket {
    const version = hostname.includes(":") ? 6 : 4;
    let socket = this.#outer.get(version);
    if (!socket) {
      socket = openDatagramSocket(this.#options.source ?? (version === 4 ? "0.0.0.0" : "::"));
      this.#outer.set(version, socket);
      tasks.run(this.#receive(socket, (datagram, from) => this.#fromRemote(datagram, from)));
    }
    return socket;
  }

  async #fromRemote(datagram: Uint8Array, remote: InternetAddress): Promise<void> {
    if (!this.#remotes.has(remote.hostname)) return this.#drop("from a stranger");
    const message = writeUdpMessage(remote, datagram);
    await this.#inner.send(
      message,
      overUdp({ hostname: this.#clientHost, port: this.#clientPort }),
    );
    this.#counts.out++;
    this.#options.client.bytesOut += message.length;
  }

  #drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }
}
