/**
 * An outlet for datagrams: its sockets, a session for each client address, and the service that
 * the sessions get.
 *
 * @module
 */
import { Admission } from "../admission/admission.ts";
import type { Session } from "../connection/session.ts";
import type { Address } from "../endpoint/address.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { faultOf } from "../transport/errors.ts";
import type { DatagramSocket } from "../transport/datagrams.ts";
import { ReceiveDrops } from "../transport/receive_drops.ts";
import { DatagramDrops } from "./datagram_drops.ts";
import type { DatagramSettings } from "./datagram_settings.ts";
import type { DatagramTaker, DatagramWelcomeSocket, Received } from "./datagram_socket.ts";
import { numberConnection, type OutletOptions } from "./outlet.ts";
import { OutletEvents } from "./outlet_events.ts";
import { SessionTable } from "./session_table.ts";

const tasks = new TaskScope("counting the dropped datagrams of an outlet", {
  consequence: "datagrams are received",
});

/** The length of a window of the rate limit, and the time between two events, in milliseconds. */
const WINDOW = 1_000;

/** What never changes about a datagram outlet. */
export type DatagramOutletOptions = Omit<OutletOptions, "socket"> & {
  /** Its sockets, which may serve another outlet before or after. */
  readonly socket: DatagramWelcomeSocket;
};

/** A service at a datagram address. It receives once {@linkcode serve} is called. */
export class DatagramOutlet implements DatagramTaker, AsyncDisposable {
  /** Its id, unique in the life of the server. */
  readonly id: number;
  /** Its name in events. */
  readonly name: string;
  /** The address at which it is bound. */
  readonly address: Address;
  /** Limits and access rules. */
  readonly admission: Admission;

  #socket: DatagramWelcomeSocket;
  readonly #events: OutletEvents;
  readonly #drops: DatagramDrops;
  readonly #kernelDrops: ReceiveDrops;
  readonly #table: SessionTable;
  readonly #stopping = new AbortController();
  readonly #stopped = Promise.withResolvers<number>();
  #settings: DatagramSettings | undefined;
  #window: ReturnType<typeof setInterval> | undefined;
  #received = 0;
  #isStopped = false;

  /** An outlet that does not receive yet. */
  constructor({ id, name, socket, eventBus, ...options }: DatagramOutletOptions) {
    const { admission = new Admission({}), number = numberConnection } = options;
    const about = { id, outlet: name, address: socket.address };
    this.id = id;
    this.name = name;
    this.address = socket.address;
    this.admission = admission;
    this.#socket = socket;
    this.#events = new OutletEvents(eventBus, about);
    this.#drops = new DatagramDrops(eventBus, about);
    this.#kernelDrops = new ReceiveDrops(() => this.#socket.locals);
    this.#table = new SessionTable({
      admission,
      number,
      events: this.#events,
      drops: this.#drops,
      stopping: this.#stopping.signal,
    });
  }

  /** Its open sessions. */
  get connections(): Iterable<Session> {
    return this.#table.sessions;
  }

  /** Aborted when the outlet stops. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Resolves when the outlet and all its sessions are closed, to 0: no session is cut. */
  get stopped(): Promise<number> {
    return this.#stopped.promise;
  }

  /** Whether the outlet and all its sessions are closed. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Its sockets. */
  get socket(): DatagramWelcomeSocket {
    return this.#socket;
  }

  /** The length of the buffer: one byte more than the longest datagram, to see longer ones. */
  get bufferLength(): number {
    return this.#settings!.maxDatagram + 1;
  }

  /** Closes its sockets, unless another outlet has taken them over. */
  async socketClosed(): Promise<void> {
    if (this.#socket.serves(this)) await this.#socket.close();
  }

  /** Continues with other sockets at the same address. */
  moveTo(socket: DatagramWelcomeSocket): void {
    this.#socket = socket;
    socket.serve(this);
  }

  /** Starts to receive. Called again, it changes the settings for new sessions. */
  serve(settings: DatagramSettings): void {
    const isFirst = this.#settings === undefined;
    this.#settings = settings;
    this.#table.settings = settings;
    if (!isFirst) return;
    this.#events.listening({});
    this.#socket.serve(this);
  }

  /**
   * Stops at once, whatever the grace: closes the sockets, unless another outlet has taken them
   * over, and all sessions. UDP has no end that clients could be given time for.
   */
  stop(_options: { grace: number }): Promise<number> {
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort();
      this.#stop().then(this.#stopped.resolve, this.#stopped.reject);
    }
    return this.stopped;
  }

  /** Stops at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  /** The session of a datagram; a client's first one opens it. */
  sessionOf(received: Received, socket: DatagramSocket): Session | undefined {
    this.#received++;
    this.#window ??= setInterval(tasks.guard(() => this.#endWindow()), WINDOW);
    const [datagram, from] = received;
    if (datagram.length <= this.#settings!.maxDatagram) return this.#table.of(from, socket);
    this.#drops.dropped("longer than max-datagram", { from: from as Deno.NetAddr });
  }

  /** Closes a session whose handler failed. */
  broken(session: Session, error: unknown): void {
    session.close(faultOf(error));
  }

  /** Publishes that receiving failed, and that the loop pauses for `pause` milliseconds. */
  onFault(error: unknown, pause: number): void {
    this.#events.failed(error, { tried: "receive", pause });
  }

  /** Publishes the drops of the last second. The timer stops when nothing is received any more. */
  async #endWindow(): Promise<void> {
    const isIdle = this.#received === 0;
    this.#received = 0;
    this.#table.startWindow();
    await this.#publishDrops();
    if (!isIdle || this.#received > 0) return;
    clearInterval(this.#window);
    this.#window = undefined;
  }

  async #publishDrops(): Promise<void> {
    const datagrams = await this.#kernelDrops.take();
    if (datagrams > 0) this.#drops.dropped("receive buffer full", { datagrams });
    this.#drops.publish();
  }

  async #stop(): Promise<number> {
    clearInterval(this.#window);
    if (this.#settings) await this.#publishDrops();
    await this.#table.close("server closed");
    await this.socketClosed();
    this.#drops.publish();
    this.#isStopped = true;
    this.admission[Symbol.dispose]();
    if (this.#settings) this.#events.stopped(0);
    return 0;
  }
}
