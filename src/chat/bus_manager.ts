/**
 * The buses of one server, and the links of its rooms. Loaded only if there is a bus.
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
  consequence: "members who left stay listed",
});

/** The interval of {@linkcode BusLink.tick}, in milliseconds. */
const TICK = 500;

/** The gap between two ticks above which the process was suspended, in milliseconds. */
const SUSPENDED = 4 * TICK;

/** Options of {@linkcode BusManager.attach}. */
export interface BusAttachmentOptions extends Partial<BusWatcher> {
  /** The room's topic on this bus; `undefined` if the bus does not carry the room. */
  topicOf(room: Room): Topic | undefined;
}

/** An attached bus. */
interface BusAttachment extends BusAttachmentOptions {
  readonly bus: Bus;
  readonly traffic: Traffic;
  state: BusState | undefined;
  /** How often it was connected. */
  connects: number;
  /** The last denied permission since it was connected. */
  lastDenied: string | undefined;
}

/**
 * Joins rooms to the rooms of the same name on other servers. Disposing it leaves and closes the
 * buses.
 */
export class BusManager implements AsyncDisposable {
  /** The identity of this process; another one after a restart. */
  readonly #identity: NodeIdentity = {
    nodeId: crypto.randomUUID().replaceAll("-", "").slice(0, 16),
    server: `${Deno.hostname()}/${Deno.pid}`,
  };
  readonly #rooms = new Set<Room>();
  readonly #links = new Map<Room, BusLink>();
  readonly #attachments: BusAttachment[] = [];
  readonly #timer = setInterval(tasks.guard(() => this.#tick()), TICK);
  #tickedAt = performance.now();

  /** The status of each bus. */
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

  /** Joins a room on every bus that carries it, until the result is disposed. */
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

  /** Leaves all rooms, and disconnects the buses. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const link of this.#links.values()) link[Symbol.dispose]();
    await Promise.all(this.#attachments.map(({ bus }) => bus[Symbol.asyncDispose]()));
    // Lets receivers that wait for the next turn see that they are disposed.
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
    if (state?.state === "up") link.onConnected(bus, { back: false });
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
        link.onConnected(bus, { back: before?.state === "down" && attachment.connects > 1 });
      } else if (before?.state === "up") link.onDisconnected(bus);
    }
  }

  #tick(): void {
    const now = performance.now();
    const suspended = now - this.#tickedAt > SUSPENDED;
    this.#tickedAt = now;
    for (const link of this.#links.values()) link.tick(now, { suspended });
  }

  #statusOf(
    { bus, state, connects, lastDenied, traffic }: BusAttachment,
  ): BusStatus {
    return {
      name: bus.name,
      state: state?.state === "up" ? "up" : connects === 0 ? "connecting" : "down",
      detail: state?.state === "up" ? state.at : state?.reason ?? "connecting",
      denied: lastDenied,
      reconnects: Math.max(0, connects - 1),
      queued: this.#links.values().reduce((sum, link) => sum + link.queuedFor(bus), 0),
      traffic: { ...traffic },
    };
  }
}
