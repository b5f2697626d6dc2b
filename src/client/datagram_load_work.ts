/**
 * The sockets of a load test over UDP.
 *
 * @module
 */
import type { UdpAddress } from "../endpoint/address.ts";
import type { LocalEnd } from "../endpoint/source.ts";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import {
  type DatagramConnection,
  dialDatagrams,
  isUnreachable,
} from "../transport/dial_datagrams.ts";
import { echoMessage } from "./echo.ts";
import { Histogram } from "./histogram.ts";

/** Datagrams of a socket that are under way at a time, and the bytes that they may have together. */
const IN_FLIGHT = { datagrams: 8, bytes: 64 * 1024 };

/** How often datagrams are counted as lost that were not answered in time, in milliseconds. */
const PERIOD = 100;

const tasks = new TaskScope("a socket of a load test", { consequence: "the others go on" });

/** The results so far. */
export class DatagramTotals {
  /** Round trips. */
  readonly times: Histogram = new Histogram();
  /** Datagrams sent. */
  sent = 0;
  /** Datagrams not answered in time. */
  lost = 0;
  /** Answers that came after a later one. */
  reordered = 0;
  /** Answers that came again. */
  duplicated = 0;
  /** Answers that came after they were counted as lost. */
  late = 0;
  /** Datagrams that are no echo. */
  others = 0;
  /** ICMP port unreachable messages. */
  unreachable = 0;
}

/** What the sockets of a load test share. */
export class DatagramLoad {
  /** The results so far. */
  readonly totals: DatagramTotals = new DatagramTotals();
  /** Datagrams under way on each socket. */
  readonly window: number;
  /** The datagram, to be numbered. */
  readonly message: Uint8Array;
  /** How long an answer may take, in milliseconds. */
  readonly timeout: number;
  readonly #failed = new AbortController();
  #isOver = false;

  /** A test with datagrams of this size. */
  constructor({ size, timeout }: { size: number; timeout: number }) {
    this.message = echoMessage(size);
    this.timeout = timeout;
    this.window = Math.min(
      Math.max(Math.floor(IN_FLIGHT.bytes / size), 1),
      IN_FLIGHT.datagrams,
    );
  }

  /** Whether nothing more is sent. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Aborted when nothing receives at the target. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Stops sending. */
  stop(): void {
    this.#isOver = true;
  }

  /** Counts an ICMP port unreachable; without any echo, the test is over. */
  unreachable(): void {
    this.totals.unreachable++;
    if (this.totals.times.count === 0) this.#failed.abort();
  }
}

/** One socket: it keeps a number of datagrams under way. */
export class LoadSocket {
  readonly #socket: DatagramConnection;
  readonly #load: DatagramLoad;
  /** When each datagram was sent that is under way, by number. */
  readonly #pending = new Map<number, number>();
  #next = 0;
  #highest = -1;
  #timer: ReturnType<typeof setInterval> | undefined;
  #isSending = false;
  readonly #settled = Promise.withResolvers<void>();

  private constructor(socket: DatagramConnection, load: DatagramLoad) {
    this.#socket = socket;
    this.#load = load;
  }

  /** Opens a socket. */
  static async open(
    target: UdpAddress,
    { load, from }: { load: DatagramLoad; from: LocalEnd | undefined },
  ): Promise<LoadSocket> {
    return new LoadSocket(await dialDatagrams(target, { from }), load);
  }

  /** Starts to send and to receive. */
  start(): void {
    handledElsewhere(this.#receive());
    this.#timer = setInterval(tasks.guard(() => this.#expire()), PERIOD);
    tasks.run(this.#fill());
  }

  /** Resolves when every datagram is answered or lost. */
  settled(): Promise<void> {
    if (this.#pending.size === 0) this.#settled.resolve();
    return this.#settled.promise;
  }

  /** Closes the socket. */
  close(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  /** Sends until enough datagrams are under way. */
  async #fill(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    const { message, window, totals } = this.#load;
    const datagram = message.slice();
    const view = new DataView(datagram.buffer);
    try {
      while (!this.#load.isOver && this.#pending.size < window) {
        const number = this.#next++;
        view.setUint32(0, number);
        this.#pending.set(number, performance.now());
        totals.sent++;
        await this.#socket.send(datagram);
      }
    } catch (error) {
      if (isUnreachable(error)) this.#load.unreachable();
      else totals.others++;
    } finally {
      this.#isSending = false;
    }
  }

  async #receive(): Promise<void> {
    const { message: { length }, totals } = this.#load;
    const buffer = new Uint8Array(length + 1);
    for (;;) {
      const datagram = await this.#socket.receive(buffer);
      if (datagram.length !== length) totals.others++;
      else this.#answered(new DataView(datagram.buffer, datagram.byteOffset).getUint32(0));
      await this.#fill();
    }
  }

  #answered(number: number): void {
    const { totals, isOver } = this.#load;
    const sentAt = this.#pending.get(number);
    if (number >= this.#next) return void totals.others++;
    if (sentAt === undefined) {
      return void (this.#lost.delete(number) ? this.#late() : totals.duplicated++);
    }
    this.#pending.delete(number);
    totals.times.record(performance.now() - sentAt);
    if (number < this.#highest) totals.reordered++;
    else this.#highest = number;
    if (isOver && this.#pending.size === 0) this.#settled.resolve();
  }

  /** The numbers that were counted as lost last. */
  readonly #lost = new Set<number>();

  #late(): void {
    this.#load.totals.late++;
    this.#load.totals.lost--;
  }

  /** Counts datagrams as lost that were not answered in time. */
  #expire(): void {
    if (this.#socket.takeUnreachable()) this.#load.unreachable();
    const latest = performance.now() - this.#load.timeout;
    for (const [number, sentAt] of this.#pending) {
      if (sentAt > latest) break;
      this.#pending.delete(number);
      this.#load.totals.lost++;
      this.#lost.add(number);
      if (this.#lost.size > MAX_REMEMBERED) this.#lost.delete(this.#lost.values().next().value!);
    }
    if (this.#load.isOver && this.#pending.size === 0) this.#settled.resolve();
    tasks.run(this.#fill());
  }
}

/** The most numbers of lost datagrams that are remembered, to tell late answers from duplicates. */
const MAX_REMEMBERED = 10_000;
