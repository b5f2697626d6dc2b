/**
 * One worker of a crew: a server of its own, which does what the crew says and tells what happens.
 *
 * @module
 */
import type { OutletEvent } from "../observe/events.ts";
import { Journal } from "../observe/journal.ts";
import { BroadcastBus } from "../room/broadcast_bus.ts";
import { Server } from "../server.ts";
import { formatAddress } from "../socket/address.ts";
import type { Connection } from "../socket/connection.ts";
import { explain } from "../socket/faults.ts";
import { countersOf } from "./ledger.ts";
import type { Order, SharedDoors, Tasks, Told } from "./messages.ts";

/** How often the crew is told what connections and buses have carried, in milliseconds. */
const COUNTING = 1_000;

/** How long an event may wait for others that go along, in milliseconds: a message costs far more than an event. */
const GATHERING = 10;

/** A worker's own thread, as far as it is used here. */
const thread = globalThis as unknown as {
  onmessage: (message: { data: Order }) => void;
  postMessage(told: Told, transfer?: Transferable[]): void;
  close(): void;
};

let server: Server | undefined;
let doors: SharedDoors = new Map();
const watches = new Map<number, Disposable>();
const counted = new Map<number, number>();
let events: OutletEvent[] = [];

const tasks: Tasks = {
  async open({ config, doors: all, shared, place }) {
    doors = all;
    const journal = new Journal();
    journal.subscribe(keepEvent);
    server = await Server.open(config, {
      journal,
      common: {
        countersOf: (address) =>
          countersOf(address === undefined ? shared.door : doors.get(address)!, place),
        number: () => Atomics.add(shared.numbers, 0, 1) + 1,
        descriptors: shared.descriptors,
        bus: new BroadcastBus(shared.channel),
      },
    });
    const { rooms } = server;
    rooms.visitAll(({ name }) =>
      thread.postMessage({ told: "room", name, isPublic: rooms.isPublic(name) })
    );
    setInterval(() => {
      tellCounts();
      thread.postMessage({ told: "buses", buses: rooms.status().buses });
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
  interject: async ({ connection, bytes }) => await find(connection)?.interject(bytes),
  closeWrite: async ({ connection }) => await find(connection)?.closeWrite(),
  // deno-lint-ignore require-await
  hangUp: async ({ connection, reason }) => find(connection)?.hangUp(reason),
  // deno-lint-ignore require-await
  async watch({ connection: id, on }) {
    watches.get(id)?.[Symbol.dispose]();
    watches.delete(id);
    const tell = (way: "received" | "sent") => (bytes: Uint8Array) =>
      thread.postMessage({ told: "bytes", connection: id, way, bytes: bytes.slice() });
    const connection = on ? find(id) : undefined;
    if (connection) {
      watches.set(id, connection.watch({ received: tell("received"), sent: tell("sent") }));
    }
  },
};

thread.onmessage = async ({ data: { number, name, task } }) => {
  try {
    const value = await (tasks[name] as (task: unknown) => Promise<unknown>)(task);
    // Who is answered knows what has happened until then.
    tellEvents();
    thread.postMessage({ told: "done", number, value });
  } catch (error) {
    thread.postMessage({ told: "failed", number, reason: explain(error) });
  }
};

// What nobody catches ends this worker, and no other.
for (const end of ["error", "unhandledrejection"] as const) {
  globalThis.addEventListener(end, (event) => {
    event.preventDefault();
    const cause = "reason" in event ? event.reason : (event as ErrorEvent).error;
    thread.postMessage({ told: "died", reason: explain(cause) });
    thread.close();
  });
}

/** Keeps an event for the next batch. */
function keepEvent(event: OutletEvent): void {
  if (events.push(event) === 1) setTimeout(tellEvents, GATHERING);
}

function tellEvents(): void {
  if (events.length > 0) thread.postMessage({ told: "events", events });
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
  thread.postMessage({ told: "counts", counts: message }, [message.buffer]);
}

function find(id: number): Connection | undefined {
  for (const { connection } of server!.connections()) {
    if (connection.id === id) return connection;
  }
}
