/**
 * The buses of one server, and the links of its rooms. It is loaded where there is a bus, and only there.
 *
 * @module
 */
import type { Bus, BusState, BusWatcher, Topic } from "./bus/bus.ts";
import { BusLink } from "./bus_link.ts";
import type { Room } from "./room.ts";
import { type BusStatus, noTraffic, type Traffic } from "./status.ts";
import type { NodeIdentity } from "./publisher.ts";

/** How often links look around, in milliseconds. */
const TICK = 500;

/** When a look is so late that the whole server must have slept, in milliseconds. */
const SLEPT = 4 * TICK;

/** How a bus is used. */
export interface BusAttachmentOptions extends Partial<BusWatcher> {
  /** What the room's topic on this bus is, where the bus carries it. */
  topicOf(room: Room): Topic | undefined;
}

/** A bus that is plugged in. */
interface BusAttachment extends BusAttachmentOptions {
  readonly bus: Bus;
  readonly traffic: Traffic;
  state: BusState | undefined;
  /** How often it came up. */
  times: number;
  /** What was denied last, since it came up. */
  refusal: string | undefined;
}

/** Joins rooms to their namesakes elsewhere. Disposing it says goodbye to them, and leaves the buses. */
export class BusManager implements AsyncDisposable {
  /** Tells this server from all others, those that it was before included. */
  readonly #speaker: NodeIdentity = {
    nodeId: crypto.randomUUID().replaceAll("-", "").slice(0, 16),
    server: `${Deno.hostname()}/${Deno.pid}`,
  };
  readonly #rooms = new Set<Room>();
  readonly #links = new Map<Room, BusLink>();
  readonly #plugs: BusAttachment[] = [];
  readonly #timer = setInterval(() => this.#tick(), TICK);
  #tickedAt = performance.now();

  /** The buses. */
  get buses(): BusStatus[] {
    return this.#plugs.map((plug) => this.#statusOf(plug));
  }

  /** Adds a bus. */
  plug(bus: Bus, options: BusAttachmentOptions): void {
    const plug: BusAttachment = {
      ...options,
      bus,
      traffic: noTraffic(),
      state: undefined,
      times: 0,
      refusal: undefined,
    };
    this.#plugs.push(plug);
    for (const room of this.#rooms) this.#connect(room, plug);
    bus.watch({
      changed: (state) => this.#follow(plug, state),
      denied: (what) => {
        plug.refusal = what;
        plug.denied?.(what);
      },
    });
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

  #connect(room: Room, { bus, state, topicOf, traffic }: BusAttachment): void {
    const topic = topicOf(room);
    if (!topic) return;
    let link = this.#links.get(room);
    if (!link) {
      link = new BusLink(room, this.#speaker);
      this.#links.set(room, link);
    }
    link.plug(bus, { topic, traffic });
    if (state?.state === "up") link.up(bus, { back: false });
  }

  #follow(plug: BusAttachment, state: BusState): void {
    const { bus, state: before } = plug;
    plug.state = state;
    if (state.state !== before?.state) {
      if (state.state === "up") {
        plug.times++;
        plug.refusal = undefined;
      }
      plug.changed?.(state);
    }
    for (const link of this.#links.values()) {
      if (state.state === "up") link.up(bus, { back: before?.state === "down" && plug.times > 1 });
      else if (before?.state === "up") link.down(bus);
    }
  }

  #tick(): void {
    const now = performance.now();
    const slept = now - this.#tickedAt > SLEPT;
    this.#tickedAt = now;
    for (const link of this.#links.values()) link.tick(now, { slept });
  }

  #statusOf({ bus, state, times, refusal, traffic }: BusAttachment): BusStatus {
    return {
      name: bus.name,
      state: state?.state === "up" ? "up" : times === 0 ? "connecting" : "down",
      detail: state?.state === "up" ? state.at : state?.reason ?? "it is being connected to",
      denied: refusal,
      reconnects: Math.max(0, times - 1),
      queued: this.#links.values().reduce((sum, link) => sum + link.queuedFor(bus), 0),
      traffic: { ...traffic },
    };
  }
}
