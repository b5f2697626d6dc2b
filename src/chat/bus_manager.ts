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
import { TaskScope } from "../scheduling/task_scope.ts";
import { nextTurn } from "../scheduling/turn_budget.ts";

const tasks = new TaskScope("watching the servers on a bus", {
  without: "members who left stay listed",
});

/** How often links look around, in milliseconds. */
const TICK = 500;

/** When a look is so late that the whole server must have slept, in milliseconds. */
const SLEPT = 4 * TICK;

/** How a bus is used. */
export interface BusAttachmentOptions extends Partial<BusWatcher> {
  /** What the room's topic on this bus is, where the bus carries it. */
  topicOf(room: Room): Topic | undefined;
}

/** A bus, as it is used. */
interface BusAttachment extends BusAttachmentOptions {
  readonly bus: Bus;
  readonly traffic: Traffic;
  state: BusState | undefined;
  /** How often it came up. */
  connects: number;
  /** What was denied last, since it came up. */
  lastDenied: string | undefined;
}

/** Joins rooms to their namesakes elsewhere. Disposing it says goodbye to them, and leaves the buses. */
export class BusManager implements AsyncDisposable {
  /** Tells this server from all others, those that it was before included. */
  readonly #identity: NodeIdentity = {
    nodeId: crypto.randomUUID().replaceAll("-", "").slice(0, 16),
    server: `${Deno.hostname()}/${Deno.pid}`,
  };
  readonly #rooms = new Set<Room>();
  readonly #links = new Map<Room, BusLink>();
  readonly #attachments: BusAttachment[] = [];
  readonly #timer = setInterval(tasks.guard(() => this.#tick()), TICK);
  #tickedAt = performance.now();

  /** The buses. */
  get buses(): BusStatus[] {
    return this.#attachments.map((attachment) => this.#statusOf(attachment));
  }

  /** Adds a bus. */
  attach(bus: Bus, options: BusAttachmentOptions): void {
    const attachment: BusAttachment = {
      ...options,
      bus,
      traffic: noTraffic(),
      state: undefined,
      connects: 0,
      lastDenied: undefined,
    };
    this.#attachments.push(attachment);
    for (const room of this.#rooms) this.#connect(room, attachment);
    bus.watch({
      changed: (state) => this.#onStateChange(attachment, state),
      denied: (what) => {
        attachment.lastDenied = what;
        attachment.denied?.(what);
      },
    });
  }

  /** Joins a room to its namesakes, on every bus that carries it, until the membership is disposed. */
  join(room: Room): Disposable {
    this.#rooms.add(room);
    for (const attachment of this.#attachments) this.#connect(room, attachment);
    return {
      [Symbol.dispose]: () => {
        this.#rooms.delete(room);
        this.#links.get(room)?.[Symbol.dispose]();
        this.#links.delete(room);
      },
    };
  }

  /** Says goodbye. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const link of this.#links.values()) link[Symbol.dispose]();
    await Promise.all(this.#attachments.map(({ bus }) => bus[Symbol.asyncDispose]()));
    // Whoever was in the middle of what had come sees that it is over.
    await nextTurn();
  }

  #connect(room: Room, { bus, state, topicOf, traffic }: BusAttachment): void {
    const topic = topicOf(room);
    if (!topic) return;
    let link = this.#links.get(room);
    if (!link) {
      link = new BusLink(room, this.#identity);
      this.#links.set(room, link);
    }
    link.attach(bus, { topic, traffic });
    if (state?.state === "up") link.up(bus, { back: false });
  }

  #onStateChange(attachment: BusAttachment, state: BusState): void {
    const { bus, state: before } = attachment;
    attachment.state = state;
    if (state.state !== before?.state) {
      if (state.state === "up") {
        attachment.connects++;
        attachment.lastDenied = undefined;
      }
      attachment.changed?.(state);
    }
    for (const link of this.#links.values()) {
      if (state.state === "up") {
        link.up(bus, { back: before?.state === "down" && attachment.connects > 1 });
      } else if (before?.state === "up") link.down(bus);
    }
  }

  #tick(): void {
    const now = performance.now();
    const slept = now - this.#tickedAt > SLEPT;
    this.#tickedAt = now;
    for (const link of this.#links.values()) link.tick(now, { slept });
  }

  #statusOf(
    { bus, state, connects: times, lastDenied: refusal, traffic }: BusAttachment,
  ): BusStatus {
    return {
      name: bus.name,
      state: state?.state === "up" ? "up" : times === 0 ? "connecting" : "down",
      detail: state?.state === "up" ? state.at : state?.reason ?? "connecting",
      denied: refusal,
      reconnects: Math.max(0, times - 1),
      queued: this.#links.values().reduce((sum, link) => sum + link.queuedFor(bus), 0),
      traffic: { ...traffic },
    };
  }
}
