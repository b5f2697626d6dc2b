/**
 * The buses of one server, and the links of its rooms. It is loaded where there is a bus, and only there.
 *
 * @module
 */
import type { Bus, BusState, Topic } from "./bus.ts";
import { Link, type Traffic } from "./link.ts";
import type { Room } from "./room.ts";

/** How often links look around, in milliseconds. */
const TICK = 500;

/** When a look is so late that the whole server must have slept, in milliseconds. */
const SLEPT = 4 * TICK;

/** A bus, and how it is. */
export interface BusStatus {
  /** What people call it: `nats://127.0.0.1:4222`. */
  readonly name: string;
  /** Whether messages get through. */
  readonly up: boolean;
  /** How often it came back. */
  readonly reconnects: number;
}

/** How a bus is used. */
export interface PlugOptions {
  /** What the room's topic on this bus is, where the bus carries it. */
  topicOf(room: Room): Topic | undefined;
  /** Told when the bus cannot be had, is lost, or is there. */
  changed?(state: BusState): void;
}

/** A bus that is plugged in. */
interface Plug extends PlugOptions {
  readonly bus: Bus;
  state: BusState["state"] | "unknown";
  /** How often it came up. */
  times: number;
}

/** Joins rooms to their namesakes elsewhere. Disposing it says goodbye to them, and leaves the buses. */
export class Trunk implements AsyncDisposable {
  /** What went over the buses so far. */
  readonly traffic: Traffic = { in: 0, out: 0, ignored: 0, lost: 0, dropped: 0 };
  /** Tells this server from all others, those that it was before included. */
  readonly #origin = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  readonly #rooms = new Set<Room>();
  readonly #links = new Map<Room, Link>();
  readonly #plugs: Plug[] = [];
  readonly #timer = setInterval(() => this.#tick(), TICK);
  #tickedAt = performance.now();

  /** The buses. */
  get buses(): BusStatus[] {
    return this.#plugs.map(({ bus: { name }, state, times }) => ({
      name,
      up: state === "up",
      reconnects: Math.max(0, times - 1),
    }));
  }

  /** How many members the room has on other servers. */
  elsewhere(room: Room): number {
    return this.#links.get(room)?.elsewhere ?? 0;
  }

  /** Adds a bus. */
  plug(bus: Bus, options: PlugOptions): void {
    const plug: Plug = { ...options, bus, state: "unknown", times: 0 };
    this.#plugs.push(plug);
    for (const room of this.#rooms) this.#connect(room, plug);
    bus.watch((state) => this.#follow(plug, state));
  }

  /** Joins a room to its namesakes, on every bus that carries it. */
  join(room: Room): void {
    this.#rooms.add(room);
    for (const plug of this.#plugs) this.#connect(room, plug);
  }

  /** Says goodbye. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const link of this.#links.values()) link[Symbol.dispose]();
    await Promise.all(this.#plugs.map(({ bus }) => bus[Symbol.asyncDispose]()));
  }

  #connect(room: Room, { bus, state, topicOf }: Plug): void {
    const topic = topicOf(room);
    if (!topic) return;
    let link = this.#links.get(room);
    if (!link) {
      link = new Link(room, { origin: this.#origin, traffic: this.traffic });
      this.#links.set(room, link);
    }
    link.plug(bus, topic);
    if (state === "up") link.up(bus, { back: false });
  }

  #follow(plug: Plug, state: BusState): void {
    const { bus, state: before } = plug;
    plug.state = state.state;
    if (state.state !== before) {
      if (state.state === "up") plug.times++;
      plug.changed?.(state);
    }
    for (const link of this.#links.values()) {
      if (state.state === "up") link.up(bus, { back: before === "down" && plug.times > 1 });
      else if (before === "up") link.down(bus);
    }
  }

  #tick(): void {
    const now = performance.now();
    const slept = now - this.#tickedAt > SLEPT;
    this.#tickedAt = now;
    for (const link of this.#links.values()) link.tick(now, { slept });
  }
}
