/**
 * Relays the bus to all workers over the supervisor's single connection.
 *
 * On the bus, each worker is a node of its own. Workers exchange messages within the process,
 * because the bus does not echo what its own connection published.
 *
 * @module
 */
import type { Archive, Bus, BusState, Topic } from "../chat/bus/bus.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { type BusListener, BusRelayEnd } from "./bus_relay_end.ts";
import type { BusCall, OutgoingMessage } from "./relayed_bus.ts";

const tasks = new TaskScope("reading the archive of the bus for a worker", {
  consequence: "its history has only the lines that it received",
});

/** The supervisor's relay between its workers and the bus. */
export class BusRelay {
  readonly #bus: Bus;
  readonly #ends = new Map<BusListener, BusRelayEnd>();
  #state: BusState = { state: "down", reason: "connecting" };
  /** The archive, once it was opened by a recall. */
  #archive: Archive | undefined;
  #opening: Promise<Archive | undefined> | undefined;
  /** Recalls in progress, by topic. */
  readonly #recalls = new Map<string, Promise<readonly Uint8Array[]>>();
  #dropped = 0;

  /** A relay for this bus. */
  constructor(bus: Bus) {
    this.#bus = bus;
    bus.watch({ changed: (state) => this.#change(state) });
  }

  /** The name of the bus. */
  get name(): string {
    return this.#bus.name;
  }

  /** Messages that were dropped because the bus or a worker could not take them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Handles a call from a worker. */
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
            end?.notify({ what: "recalled", number: call.number, messages })
          ),
        );
    }
  }

  /** Detaches a worker that has ended. */
  detach(worker: BusListener): void {
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
    end.sendState(this.#state);
  }

  #change(state: BusState): void {
    const isChange = state.state !== this.#state.state;
    this.#state = state;
    for (const end of this.#ends.values()) {
      if (isChange) end.sendState(state);
      end.flush();
    }
  }

  /** Whether the message is done with: sent or dropped. `false` if it has to wait. */
  #send({ what, topic, message }: OutgoingMessage): boolean {
    // While the bus is down, messages are dropped: receivers request what they miss.
    if (this.#state.state === "down") return true;
    if (message.length > this.#bus.messageLimit) this.#dropped++;
    else if (what === "publish") return this.#bus.publish(topic, message);
    else if (!this.#archive?.add(topic, message)) this.#dropped++;
    return true;
  }

  /** Recalls a topic; `undefined` without an archive. Concurrent recalls share one request. */
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
