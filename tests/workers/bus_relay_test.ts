/**
 * Workers use the bus through their supervisor: bounded, in order, and as if each were connected
 * itself.
 */
import { assertEquals } from "@std/assert";
import type { Archive, Bus, BusState, BusWatcher, Topic } from "../../src/chat/bus/bus.ts";
import { BusRelay } from "../../src/workers/bus_relay.ts";
import type { BusListener } from "../../src/workers/bus_relay_end.ts";
import { type BusNews, RelayedBus } from "../../src/workers/relayed_bus.ts";
import { eventually } from "../harness/eventually.ts";

const TOPIC = ["room", "all"];
const MEGABYTE = 1024 * 1024;

/** A bus that accepts as many messages as the test allows. */
class StubBus implements Bus {
  readonly name = "stub";
  readonly isLocal = false;
  messageLimit = MEGABYTE;
  waiting = 0;
  /** The number of messages that it still accepts. */
  capacity = Infinity;
  readonly published: string[] = [];
  readonly archived: string[] = [];
  recalls = 0;
  readonly #watchers: BusWatcher[] = [];
  readonly #listeners = new Set<(message: Uint8Array) => void>();

  publish(_: Topic, message: Uint8Array): boolean {
    if (this.capacity <= 0) return false;
    this.capacity--;
    this.published.push(textOf(message));
    return true;
  }
  subscribe(_: Topic, onMessage: (message: Uint8Array) => void): Disposable {
    this.#listeners.add(onMessage);
    return { [Symbol.dispose]: () => void this.#listeners.delete(onMessage) };
  }
  get listeners(): number {
    return this.#listeners.size;
  }
  /** Delivers a message from another server. */
  deliver(message: Uint8Array): void {
    for (const hear of this.#listeners) hear(message);
  }
  watch(watcher: BusWatcher): void {
    this.#watchers.push(watcher);
  }
  changeState(state: BusState): void {
    for (const { changed } of this.#watchers) changed(state);
  }
  caughtUp = () => Promise.resolve();
  archive = (): Promise<Archive> =>
    Promise.resolve({
      add: (_, message) => this.archived.push(textOf(message)) > 0,
      recall: () => {
        this.recalls++;
        return Promise.resolve(this.archived.map(bytesOf));
      },
    });
  [Symbol.asyncDispose] = () => Promise.resolve();
}

/** A worker attached to the relay; with `isSlow`, it handles no message until the test lets it. */
function attachWorker(relay: BusRelay, { isSlow = false } = {}) {
  const unread: (() => void)[] = [];
  const listener: BusListener = {
    request: (_, news: BusNews) => {
      const copy = structuredClone(news);
      return new Promise((resolve) => {
        const read = () => resolve(bus.receive(copy));
        if (isSlow && news.what === "message") unread.push(read);
        else queueMicrotask(read);
      });
    },
  };
  const bus: RelayedBus = new RelayedBus(
    relay.name,
    (call) => relay.receive(listener, structuredClone(call)),
  );
  const states: string[] = [];
  bus.watch({ changed: ({ state }) => states.push(state) });
  const received: string[] = [];
  const subscription = bus.subscribe(TOPIC, (message) => received.push(textOf(message)));
  return { bus, states, received, listener, unread, subscription };
}

async function up(): Promise<{ stub: StubBus; relay: BusRelay }> {
  const stub = new StubBus();
  const relay = new BusRelay(stub);
  stub.changeState({ state: "up", at: "here" });
  return await Promise.resolve({ stub, relay });
}

const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("a worker's message is published once, and a received message is sent to every worker", async () => {
  const { stub, relay } = await up();
  const workers = [attachWorker(relay), attachWorker(relay)];
  await eventually(() => workers.every(({ states }) => states.length === 1));
  assertEquals(workers[0]!.bus.publish(TOPIC, bytesOf("hello")), true);
  assertEquals(stub.published, ["hello"]);
  stub.deliver(bytesOf("from other servers"));
  await eventually(() => workers.every(({ received }) => received.length === 1));
  assertEquals(workers.map(({ received }) => received), [["from other servers"], [
    "from other servers",
  ]]);
  await workers[0]!.bus.caughtUp();
  assertEquals(workers[0]!.bus.waiting, 0);
});

Deno.test("a lost bus is down for every worker, including those that attach later", async () => {
  const { stub, relay } = await up();
  const one = attachWorker(relay);
  await eventually(() => one.states.length === 1);
  stub.changeState({ state: "down", reason: "a test" });
  const other = attachWorker(relay);
  await eventually(() => one.states.length === 2 && other.states.length === 1);
  assertEquals([one.states, other.states], [["up", "down"], ["down"]]);
  assertEquals(one.bus.publish(TOPIC, bytesOf("nobody hears it")), false);
  stub.changeState({ state: "up", at: "here" });
  await eventually(() => one.states.length === 3 && other.states.length === 2);
  assertEquals(stub.published, []);
});

Deno.test("a bus that accepts no more applies backpressure to a worker, and gets every message in order", async () => {
  const { stub, relay } = await up();
  const { bus, states } = attachWorker(relay);
  await eventually(() => states.length === 1);
  stub.capacity = 1;
  const line = "x".repeat(64 * 1024);
  let count = 0;
  while (bus.publish(TOPIC, bytesOf(`${count} ${line}`))) count++;
  assertEquals([stub.published.length, bus.waiting > MEGABYTE, count < 20], [1, true, true]);
  stub.capacity = Infinity;
  stub.changeState({ state: "up", at: "here" });
  await bus.caughtUp();
  // The worker is notified that it may continue.
  assertEquals(states, ["up", "up"]);
  assertEquals(
    stub.published.map((message) => Number(message.split(" ")[0])),
    Array.from({ length: count }, (_, i) => i),
  );
});

Deno.test("a message over the bus's limit is dropped and counted, and workers learn the limit", async () => {
  const { stub, relay } = await up();
  const { bus, states } = attachWorker(relay);
  await eventually(() => states.length === 1);
  assertEquals(bus.messageLimit, MEGABYTE);
  stub.messageLimit = 10;
  bus.publish(TOPIC, bytesOf("more than ten"));
  await bus.caughtUp();
  assertEquals([stub.published, relay.dropped, bus.messageLimit], [[], 1, 10]);
});

Deno.test("messages for a worker that does not read are dropped and counted, so its queue is bounded", async () => {
  const { stub, relay } = await up();
  const { states, unread, received } = attachWorker(relay, { isSlow: true });
  await eventually(() => states.length === 1);
  for (let i = 0; i < 30; i++) stub.deliver(new Uint8Array(64 * 1024));
  assertEquals([unread.length, relay.dropped], [16, 14]);
  for (const read of unread.splice(0)) read();
  await eventually(() => received.length === 16);
  stub.deliver(bytesOf("again"));
  assertEquals(unread.length, 1);
});

Deno.test("a worker that ends is detached from the bus", async () => {
  const { stub, relay } = await up();
  const [one, other] = [attachWorker(relay), attachWorker(relay)];
  assertEquals(stub.listeners, 2);
  relay.detach(one.listener);
  other.subscription[Symbol.dispose]();
  assertEquals(stub.listeners, 0);
  one.bus.publish(TOPIC, bytesOf("a last word that nobody asked for"));
  assertEquals(stub.published, []);
});

Deno.test("concurrent requests for a history result in one request to the bus", async () => {
  const { stub, relay } = await up();
  const workers = [attachWorker(relay), attachWorker(relay), attachWorker(relay)];
  await eventually(() => workers.every(({ states }) => states.length === 1));
  stub.archived.push("said before");
  const archives = await Promise.all(workers.map(({ bus }) => bus.archive()));
  const recalled = await Promise.all(archives.map((archive) => archive!.recall(TOPIC)));
  assertEquals(recalled.map((messages) => messages.map(textOf)), [
    ["said before"],
    ["said before"],
    ["said before"],
  ]);
  assertEquals(stub.recalls, 1);
  archives[0]!.add(TOPIC, bytesOf("said now"));
  assertEquals(stub.archived, ["said before", "said now"]);
});
