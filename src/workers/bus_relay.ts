/**
 * The supervisor's end of the bus for its workers: one connection to the bus, whatever their number.
 *
 * Each worker is a server of its own on the bus, which says what it has to say there. Workers hear each other within
 * the process; the bus does not bring back what its own connection has published.
 *
 * @module
 */
import type { Archive, Bus, BusState, Topic } from "../chat/bus/bus.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { type BusListener, BusRelayEnd } from "./bus_relay_end.ts";
import type { BusCall, OutgoingMessage } from "./relayed_bus.ts";

const tasks = new TaskScope("asking the bus for a worker what it remembers", {
  without: "the worker holds what was said there",
});

/** Joins workers to the bus. */
export class BusRelay {
  readonly #bus: Bus;
  readonly #ends = new Map<BusListener, BusRelayEnd>();
  #state: BusState = { state: "down", reason: "it is being connected to" };
  /** What the bus remembers, once somebody has asked for it. */
  #archive: Archive | undefined;
  #opening: Promise<Archive | undefined> | undefined;
  /** Recalls that are under way, by topic. */
  readonly #recalls = new Map<string, Promise<readonly Uint8Array[]>>();
  #dropped = 0;

  /** Joins workers to this bus. */
  constructor(bus: Bus) {
    this.#bus = bus;
    bus.watch({ changed: (state) => this.#change(state) });
  }

  /** What people call the bus. */
  get name(): string {
    return this.#bus.name;
  }

  /** Messages that were let go, for the bus or a worker could not take them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Does what a worker wants. */
  receive(worker: BusListener, call: BusCall): void {
    if (call.what === "attach") return this.#attach(worker);
    const end = this.#ends.get(worker);
    switch (call.what) {
      case "subscribe":
        return end?.subscribe(call.topic);
      case "unsubscribe":
        return end?.unsubscribe(call.topic);
      case "publish":
      case "keep":
        return end?.send(call);
      case "recall":
        tasks.run(
          this.#recall(call.topic).catch(() => undefined).then((messages) =>
            end?.tell({ what: "recalled", number: call.number, messages })
          ),
        );
    }
  }

  /** Leaves the bus for a worker that is no more. */
  gone(worker: BusListener): void {
    this.#ends.get(worker)?.[Symbol.dispose]();
    this.#ends.delete(worker);
  }

  #attach(worker: BusListener): void {
    const end = new BusRelayEnd(worker, {
      bus: this.#bus,
      send: (message) => this.#send(message),
      onDropped: () => this.#dropped++,
    });
    this.#ends.set(worker, end);
    end.tellState(this.#state);
  }

  #change(state: BusState): void {
    const isNews = state.state !== this.#state.state;
    this.#state = state;
    for (const end of this.#ends.values()) {
      if (isNews) end.tellState(state);
      end.flush();
    }
  }

  /** Whether a message need not wait any more: it is sent, or can't be. */
  #send({ what, topic, message }: OutgoingMessage): boolean {
    // What goes to a bus that is lost is asked for by those who miss it.
    if (this.#state.state === "down") return true;
    if (message.length > this.#bus.messageLimit) this.#dropped++;
    else if (what === "publish") return this.#bus.publish(topic, message);
    else if (!this.#archive?.add(topic, message)) this.#dropped++;
    return true;
  }

  /** What is remembered of a topic; `undefined`, where nothing is. Those who ask at the same time share the answer. */
  async #recall(topic: Topic | undefined): Promise<readonly Uint8Array[] | undefined> {
    const archive = await this.#openArchive();
    if (!archive || !topic) return archive && [];
    const key = JSON.stringify(topic);
    const recall = this.#recalls.get(key) ??
      archive.recall(topic).finally(() => this.#recalls.delete(key));
    this.#recalls.set(key, recall);
    return await recall;
  }

  async #openArchive(): Promise<Archive | undefined> {
    this.#opening ??= (this.#bus.archive?.() ?? Promise.resolve(undefined))
      .finally(() => this.#opening = undefined);
    return this.#archive = await this.#opening;
  }
}
