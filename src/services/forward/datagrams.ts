/**
 * Forwards datagrams: each session has a socket of its own to an upstream, so that answers find
 * their client.
 *
 * @module
 */
import type { DatagramHandler, DatagramReceiver, Session } from "../../connection/session.ts";
import { isUnix, overUdp, type UdpAddress } from "../../endpoint/address.ts";
import type { Source } from "../../endpoint/source.ts";
import { formatDuration } from "../../options/quantity.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import {
  type DatagramConnection,
  dialDatagrams,
  isUnreachable,
} from "../../transport/dial_datagrams.ts";
import { explain, faultOf } from "../../transport/errors.ts";
import { datagramProxyHeader } from "../../transport/datagram_proxy_header.ts";
import type { ServiceContext } from "../service.ts";
import type { SharedHealth } from "../shared_health.ts";
import { type Attempt, Upstream } from "./upstream.ts";
import type { ForwardOptions } from "./options.ts";
import { UpstreamOrder } from "./upstream_order.ts";

const tasks = new TaskScope("forwarding the answers of an upstream", {
  consequence: "the session ends when it is idle",
});

/** The most datagrams of a session that wait until the name of its upstream is resolved. */
const MAX_WAITING = 16;

/** The local ports of sockets to upstreams: a datagram from one of them has gone in a circle. */
const ownPorts = new Set<number>();

/** Forwards each session to an upstream. */
export function openDatagrams(
  { to, balance, source, "send-proxy": version }: Pick<
    ForwardOptions,
    "to" | "balance" | "source" | "send-proxy"
  >,
  { health }: Pick<ServiceContext, "health">,
): DatagramHandler {
  const upstreams = to.flatMap((remote) => {
    const { address } = remote;
    return isUnix(address) ? [] : new Upstream({ ...remote, address: overUdp(address) });
  });
  const order = new UpstreamOrder(upstreams, balance);
  const from = source === undefined ? undefined : { hostname: source };
  return (session) => {
    if (isOwn(session)) return refused(session);
    const [upstream] = order.next(session.peer);
    session.note("upstream", upstream!.name);
    const header = version && datagramProxyHeader({
      source: session.peer,
      destination: session.local,
    });
    return new ForwardedSession(session, { upstream: upstream!, header, from, health });
  };
}

/** Whether the client is a socket to an upstream of this process. */
function isOwn({ peer }: Session): boolean {
  if (isUnix(peer) || !ownPorts.has(peer.port)) return false;
  return peer.hostname.startsWith("127.") ||
    Deno.networkInterfaces().some(({ address }) => address === peer.hostname);
}

function refused(session: Session): DatagramReceiver {
  return { receive: () => session.drop("forwarded in a circle") };
}

/** What a session is forwarded with. */
interface Route {
  readonly upstream: Upstream;
  readonly header: Uint8Array | undefined;
  readonly from: Source | undefined;
  readonly health: SharedHealth;
}

/** One session and its socket to the upstream. */
class ForwardedSession implements DatagramReceiver {
  readonly #session: Session;
  readonly #route: Route;
  readonly #attempt: Attempt;
  readonly #gone = new AbortController();
  #socket: DatagramConnection | undefined;
  /** Copies of datagrams that came before the socket was open. */
  #waiting: Uint8Array[] | undefined = [];
  #hasAnswer = false;

  constructor(session: Session, route: Route) {
    this.#session = session;
    this.#route = route;
    this.#attempt = route.upstream.attempt();
    route.upstream.live++;
    tasks.run(this.#run());
  }

  /** Sends a datagram to the upstream. */
  receive(datagram: Uint8Array): void | Promise<void> {
    if (!this.#waiting) return this.#send(datagram);
    if (this.#waiting.length >= MAX_WAITING) return this.#session.drop("upstream not resolved yet");
    this.#waiting.push(datagram.slice());
  }

  close(): void {
    this.#route.upstream.live--;
    if (!this.#hasAnswer) this.#attempt.abandoned();
    this.#gone.abort();
    if (this.#socket) ownPorts.delete(this.#socket.localPort);
    this.#socket?.close();
  }

  async #run(): Promise<void> {
    try {
      await this.#open();
      await this.#answer();
    } catch (error) {
      if (!this.#session.isClosed) this.#fail(error);
    }
  }

  async #open(): Promise<void> {
    const { upstream: { remote: { address } }, header, from } = this.#route;
    const socket = await dialDatagrams(address as UdpAddress, {
      signal: this.#gone.signal,
      from,
    });
    if (this.#session.isClosed) return socket.close();
    this.#socket = socket;
    ownPorts.add(socket.localPort);
    let before = header;
    // More may be added while these are sent.
    for (const datagram of this.#waiting!) {
      await this.#send(before ? joined(before, datagram) : datagram);
      before = undefined;
    }
    this.#waiting = undefined;
  }

  async #send(datagram: Uint8Array): Promise<void> {
    try {
      await this.#socket!.send(datagram);
    } catch (error) {
      if (this.#session.isClosed) return;
      this.#session.drop("upstream unreachable");
      this.#fail(error);
    }
  }

  /** Sends the upstream's datagrams to the client, until the socket is closed. */
  async #answer(): Promise<void> {
    const { maxDatagram } = this.#session;
    const buffer = new Uint8Array(maxDatagram + 1);
    while (!this.#session.isClosed) {
      const datagram = await this.#socket!.receive(buffer);
      if (!this.#hasAnswer) this.#succeed();
      if (datagram.length <= maxDatagram) await this.#session.send(datagram);
      else this.#session.drop("answer longer than max-datagram");
    }
  }

  #succeed(): void {
    const { upstream: { name }, health } = this.#route;
    this.#hasAnswer = true;
    if (this.#attempt.succeeded()) {
      health.report({ name, failures: 0, text: `${name} is up again` });
    }
  }

  /** Closes the session; the client's next datagram opens another one, with another upstream. */
  #fail(error: unknown): void {
    const { upstream, health } = this.#route;
    const { name } = upstream;
    const reason = isUnreachable(error) ? `${name}: port unreachable` : explain(error);
    if (!this.#hasAnswer && this.#attempt.failed()) {
      const text = `${reason}; not used for ${formatDuration(upstream.pause)}`;
      health.report({ name, failures: upstream.failures, text });
    }
    this.#session.close(isUnreachable(error) ? `error: ${reason}` : faultOf(error));
  }
}

function joined(header: Uint8Array, datagram: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(header.length + datagram.length);
  bytes.set(header);
  bytes.set(datagram, header.length);
  return bytes;
}
