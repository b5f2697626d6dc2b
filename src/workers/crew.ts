/**
 * A server whose clients are spread over several threads. Each worker has a welcome socket of its own at every
 * address (SO_REUSEPORT), and the kernel deals the clients out.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { joinBus } from "../config/bus.ts";
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import { limitsOf } from "../config/terms.ts";
import type { Changes, Host } from "../host.ts";
import type { OutletEvent } from "../observe/events.ts";
import type { Journal } from "../observe/journal.ts";
import { UsageError } from "../options/usage_error.ts";
import { BroadcastBus } from "../room/broadcast_bus.ts";
import { Rooms } from "../room/rooms.ts";
import type { RoomsStatus } from "../room/status.ts";
import { formatAddress, isUnix } from "../socket/address.ts";
import { descriptorBudget } from "../socket/descriptors.ts";
import { explain } from "../socket/faults.ts";
import { BusLedger } from "./bus_ledger.ts";
import { Hand } from "./hand.ts";
import { release, shareDoor } from "./ledger.ts";
import type { Shared, Told } from "./messages.ts";
import { RemoteConnection, type RemoteOutlet } from "./remote.ts";
import { Sites } from "./sites.ts";

/** How a crew is opened. */
export interface CrewOptions {
  /** How many workers there are. */
  readonly workers: number;
  /** Told of everything that happens in any of them. */
  readonly journal: Journal;
  /** The module that workers run. */
  readonly module?: URL;
}

/** The pause before a worker that died is replaced, in milliseconds; it doubles while it dies at once. */
const PAUSE = { first: 10, last: 5_000 };

/** A room full of sockets, served by several threads that look like one. */
export class Crew implements Host {
  /** The chat rooms, which reach into all workers. */
  readonly rooms: Rooms = new Rooms();

  readonly #journal: Journal;
  readonly #options: Required<CrewOptions>;
  readonly #shared: Shared;
  readonly #hands: Hand[] = [];
  readonly #sites: Sites;
  readonly #buses = new BusLedger();
  #config: ServerConfig;
  #pause: number = PAUSE.first;
  #diedAt = -Infinity;
  readonly #stopping = new AbortController();

  private constructor(config: ServerConfig, options: CrewOptions) {
    this.#config = config;
    this.#journal = options.journal;
    this.#options = { module: new URL("./worker.ts", import.meta.url), ...options };
    this.#sites = new Sites(options.workers);
    this.#shared = {
      numbers: new Int32Array(new SharedArrayBuffer(4)),
      door: shareDoor(options.workers),
      descriptors: descriptorBudget(),
      channel: crypto.randomUUID(),
    };
  }

  /**
   * Opens every outlet in every worker, or none.
   *
   * @throws {Error} which names the address that can't be listened on, and the reason
   */
  static async open(config: ServerConfig, options: CrewOptions): Promise<Crew> {
    checkServices(config);
    await using undo = new AsyncDisposableStack();
    const crew = undo.use(new Crew(config, options));
    const { channel, descriptors } = crew.#shared;
    await crew.rooms.extend(new BroadcastBus(channel));
    await joinBus(crew.rooms, { options: config.options, journal: options.journal });
    using pinned = crew.#sites.pin(config.outlets);
    for (let index = 0; index < options.workers; index++) crew.#hands.push(crew.#hire(index));
    // The first one finds out whether all of it can be had.
    for (const hand of crew.#hands) await crew.#open(hand, pinned.outlets);
    pinned.keep();
    undo.move();
    options.journal.publish({
      event: "ready",
      outlets: config.outlets.length,
      maxConnections: limitsOf(config, descriptors).maxConnections ?? Infinity,
      descriptors: descriptors?.limit,
    });
    return crew;
  }

  /** The open outlets. */
  get outlets(): Iterable<RemoteOutlet> {
    return this.#sites.outlets;
  }

  /** The outlets that have begun to close, and still have connections. */
  get draining(): Iterable<RemoteOutlet> {
    return this.#sites.draining;
  }

  /** Every connection that is open now in any worker. */
  *connections(): Generator<{ outlet: RemoteOutlet; connection: RemoteConnection }> {
    for (const outlet of [...this.outlets, ...this.draining]) {
      for (const connection of outlet.connections) yield { outlet, connection };
    }
  }

  /** What the chat rooms and the buses are like right now, as far as workers have told: a second ago at most. */
  roomsStatus(): RoomsStatus {
    const { rooms, buses } = this.rooms.status();
    return { rooms, buses: this.#buses.sum(buses) };
  }

  /** Opens one more outlet. */
  async open(config: OutletConfig): Promise<RemoteOutlet> {
    await this.change({ ...this.#config, outlets: [...this.#config.outlets, config] });
    return [...this.outlets].at(-1)!;
  }

  /** Closes one outlet in every worker. */
  async close(outlet: RemoteOutlet, { grace }: { grace: number }): Promise<number> {
    const config = this.#sites.close(outlet);
    this.#config = {
      ...this.#config,
      outlets: this.#config.outlets.filter((other) => other !== config),
    };
    const address = formatAddress(outlet.address);
    return await this.#all((hand) => hand.ask("close", { address, grace }));
  }

  /**
   * Becomes what another config asks for, in every worker.
   *
   * @throws {Error} which says what can't be had: nothing has changed then
   */
  async change(config: ServerConfig): Promise<Changes> {
    checkServices(config);
    if (config.options.workers !== this.#config.options.workers) {
      throw new Error("the number of workers cannot change while the server runs: start it anew");
    }
    using pinned = this.#sites.pin(config.outlets);
    const [first, ...others] = this.#hands;
    const asked = (hand: Hand) => ({
      config: { ...config, outlets: shareOf(pinned.outlets, hand) },
      doors: this.#sites.doors,
    });
    const changes = await first!.ask("change", asked(first!));
    await Promise.all(others.map((hand) => hand.ask("change", asked(hand))));
    pinned.keep();
    this.#config = config;
    return changes;
  }

  /** Stops every worker. */
  async stop({ grace }: { grace: number }): Promise<number> {
    this.#stopping.abort();
    for (const outlet of this.outlets) outlet.stop();
    const cut = await this.#all((hand) => hand.ask("stop", { grace }));
    // Their last words are on their way before the answer.
    for (const hand of this.#hands.splice(0)) hand[Symbol.dispose]();
    await this.rooms[Symbol.asyncDispose]();
    return cut;
  }

  /** Stops without grace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ grace: 0 });
  }

  /** The sum of what all answer; one that dies over it counts nothing. */
  async #all(ask: (hand: Hand) => Promise<number>): Promise<number> {
    const answers = await Promise.all(this.#hands.map((hand) => ask(hand).catch(() => 0)));
    return answers.reduce((sum, answer) => sum + answer, 0);
  }

  #hire(index: number): Hand {
    const hand: Hand = new Hand({
      module: this.#options.module,
      index,
      hear: (told) => this.#hear(told, hand),
      died: (reason) => void this.#replace(hand, reason),
    });
    return hand;
  }

  async #open(hand: Hand, outlets: readonly OutletConfig[]): Promise<void> {
    await hand.ask("open", {
      config: { ...this.#config, outlets: shareOf(outlets, hand) },
      doors: this.#sites.doors,
      shared: this.#shared,
      place: { index: hand.index, of: this.#options.workers },
    });
  }

  #hear(told: Told, hand: Hand): void {
    switch (told.told) {
      case "events":
        for (const event of told.events) this.#pass(event, hand);
        break;
      case "counts":
        this.#count(told.counts);
        break;
      case "room":
        if (told.isPublic) this.rooms.open(told.name);
        else this.rooms.openPrivate(told.name);
        break;
      case "buses":
        this.#buses.note(hand.index, told.buses);
        break;
      case "bytes":
        this.#sites.find(told.connection)?.show(told.way, told.bytes);
    }
  }

  /** Passes on what a worker tells, as if one server told it: what all of them tell is told once. */
  #pass(event: OutletEvent, hand: Hand): void {
    switch (event.event) {
      case "listening":
        if (this.#sites.at(event.address)?.opened(hand.index)) this.#journal.publish(event);
        break;
      case "stopped":
        this.#stopped(this.#sites.at(event.address), hand, event.cut);
        break;
      case "opened":
        this.#sites.at(event.address)?.add(new RemoteConnection(event, hand));
        this.#journal.publish(event);
        break;
      case "closed":
        this.#sites.at(event.address)?.remove(event.connection);
        this.#journal.publish(event);
        break;
      case "ready":
      case "reached":
      case "lost":
      case "denied":
        break;
      default:
        this.#journal.publish(event);
    }
  }

  /** The last worker's word that an outlet is closed is the crew's. */
  #stopped(outlet: RemoteOutlet | undefined, hand: Hand, cut: number): void {
    const all = outlet?.left(hand.index, cut);
    if (!outlet || all === undefined) return;
    this.#sites.closed(outlet);
    const { name, address } = outlet;
    this.#journal.publish({ event: "stopped", outlet: name, address, cut: all });
  }

  /** Puts another worker in the place of one that died, whose connections have died with it. */
  async #replace(dead: Hand, reason: string): Promise<void> {
    const place = { index: dead.index, of: this.#options.workers };
    this.#journal.publish({ event: "replaced", worker: dead.index, reason });
    release(this.#shared.door, place);
    this.#buses.died(dead.index);
    this.#sites.release(place);
    for (const outlet of this.#sites.all()) {
      for (const connection of [...outlet.connections]) {
        if (connection.hand !== dead) continue;
        outlet.remove(connection.id);
        this.#journal.publish(connection.lost(outlet));
      }
      if (outlet.stopping.aborted) this.#stopped(outlet, dead, 0);
      else outlet.left(dead.index, 0);
    }
    await this.#recover(performance.now() - this.#diedAt);
    if (this.#stopping.signal.aborted) return;
    const hand = this.#hands[dead.index] = this.#hire(dead.index);
    await this.#open(hand, this.#sites.pinned).catch((error) => {
      // Where it died, that has been seen to.
      if (hand.isGone) return;
      hand[Symbol.dispose]();
      if (!this.#stopping.signal.aborted) this.#replace(hand, explain(error));
    });
  }

  /** Waits a little, the longer the sooner workers die one after the other. */
  async #recover(sinceLast: number): Promise<void> {
    this.#pause = sinceLast > PAUSE.last * 2 ? PAUSE.first : Math.min(this.#pause * 2, PAUSE.last);
    this.#diedAt = performance.now();
    await delay(this.#pause, { signal: this.#stopping.signal }).catch(() => {});
  }

  #count(counts: Float64Array): void {
    for (let at = 0; at < counts.length; at += 4) {
      const connection = this.#sites.find(counts[at]!);
      if (!connection) continue;
      connection.bytesIn = counts[at + 1]!;
      connection.bytesOut = counts[at + 2]!;
      connection.halfClosed = counts[at + 3] === 1;
    }
  }
}

/** What a worker is asked for: a Unix socket has one worker, for its path can be bound once. */
function shareOf(outlets: readonly OutletConfig[], { index }: Hand): OutletConfig[] {
  return outlets.filter(({ listen }) => index === 0 || !isUnix(listen));
}

function checkServices({ outlets }: ServerConfig): void {
  if (outlets.some(({ service }) => service === "stdio")) {
    throw new UsageError("--workers beside stdio: there is one standard input, so leave it out");
  }
}
