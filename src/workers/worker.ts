/**
 * One worker of a supervisor: a server of its own, which does what the supervisor asks and tells what happens.
 *
 * @module
 */
import type { OutletEvent } from "../events/events.ts";
import { EventBus } from "../events/event_bus.ts";
import { BroadcastBus } from "../chat/bus/broadcast_bus.ts";
import { Server } from "../server.ts";
import { formatAddress } from "../endpoint/address.ts";
import type { Connection } from "../connection/connection.ts";
import { explain } from "../transport/errors.ts";
import { countersOf } from "./shared_counters.ts";
import type {
  SharedLimitsByAddress,
  WorkerMessage,
  WorkerMethods,
  WorkerRequest,
} from "./messages.ts";

/** How often the supervisor is told what connections and buses have carried, in milliseconds. */
const COUNTING = 1_000;

/** How long an event may wait for others that go along, in milliseconds: a message costs far more than an event. */
const GATHERING = 10;

/** A worker's own thread, as far as it is used here. */
const thread = globalThis as unknown as {
  onmessage: (message: { data: WorkerRequest }) => void;
  postMessage(told: WorkerMessage, transfer?: Transferable[]): void;
  close(): void;
};

let server: Server | undefined;
let doors: SharedLimitsByAddress = new Map();
const watches = new Map<number, Disposable>();
const counted = new Map<number, number>();
let events: OutletEvent[] = [];

const tasks: WorkerMethods = {
  async open({ config, doors: all, shared, place }) {
    doors = all;
    const eventBus = new EventBus();
    eventBus.subscribe(keepEvent);
    server = await Server.open(config, {
      eventBus,
      common: {
        countersOf: (address) =>
          countersOf(address === undefined ? shared.limits : doors.get(address)!, place),
        number: () => Atomics.add(shared.numbers, 0, 1) + 1,
        descriptors: shared.descriptors,
        bus: new BroadcastBus(shared.channel),
      },
    });
    const { rooms } = server;
    rooms.visitAll(({ name }) =>
      thread.postMessage({ type: "room", name, isPublic: rooms.isPublic(name) })
    );
    setInterval(() => {
      tellCounts();
      thread.postMessage({ type: "buses", buses: rooms.status().buses });
    }, COUNTING);
  },
  async change({ config, doors: all }) {
    doors = all;
    return await server!.change(config);
  },
  async close({ address, grace }) {
    const outlet = [...server!.outlets].find((outlet) => formatAddress(outlet.address) === address);
    return outlet ? await server!.close(outlet, { grace }) : 0;
  },
  stop: ({ grace }) => server!.stop({ grace }),
  write: async ({ connection, bytes }) => await find(connection)?.write(bytes),
  closeWrite: async ({ connection }) => await find(connection)?.closeWrite(),
  // deno-lint-ignore require-await
  closeConnection: async ({ connection, reason }) => find(connection)?.close(reason),
  // deno-lint-ignore require-await
  async tap({ connection: id, on }) {
    watches.get(id)?.[Symbol.dispose]();
    watches.delete(id);
    const tell = (way: "received" | "sent") => (bytes: Uint8Array) =>
      thread.postMessage({ type: "bytes", connection: id, way, bytes: bytes.slice() });
    const connection = on ? find(id) : undefined;
    if (connection) {
      watches.set(id, connection.tap({ received: tell("received"), sent: tell("sent") }));
    }
  },
};

thread.onmessage = async ({ data: { number, name, task } }) => {
  try {
    const value = await (tasks[name] as (task: unknown) => Promise<unknown>)(task);
    // Who is answered knows what has happened until then.
    tellEvents();
    thread.postMessage({ type: "done", number, value });
  } catch (error) {
    thread.postMessage({ type: "failed", number, reason: explain(error) });
  }
};

// What nobody catches ends this worker, and no other.
for (const end of ["error", "unhandledrejection"] as const) {
  globalThis.addEventListener(end, (event) => {
    event.preventDefault();
    const cause = "reason" in event ? event.reason : (event as ErrorEvent).error;
    thread.postMessage({ type: "died", reason: explain(cause) });
    thread.close();
  });
}

/** Keeps an event for the next batch. */
function keepEvent(event: OutletEvent): void {
  if (events.push(event) === 1) setTimeout(tellEvents, GATHERING);
}

function tellEvents(): void {
  if (events.length > 0) thread.postMessage({ type: "events", events });
  events = [];
}

/** Tells what connections have carried, of those that have carried something since. */
function tellCounts(): void {
  const counts: number[] = [];
  const before = new Map(counted);
  counted.clear();
  for (const { connection: { id, bytesIn, bytesOut, halfClosed } } of server!.connections()) {
    const sum = bytesIn + bytesOut + Number(halfClosed);
    counted.set(id, sum);
    if (sum > (before.get(id) ?? 0)) counts.push(id, bytesIn, bytesOut, Number(halfClosed));
  }
  if (counts.length === 0) return;
  const message = Float64Array.from(counts);
  thread.postMessage({ type: "counts", counts: message }, [message.buffer]);
}

function find(id: number): Connection | undefined {
  for (const { connection } of server!.connections()) {
    if (connection.id === id) return connection;
  }
}
