/**
 * Chat rooms and the bus between servers, for Prometheus: looked up when somebody asks.
 *
 * @module
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { RoomsStatus } from "../room/rooms.ts";

type Labels = Record<string, string>;

/** One value, and what it is of. */
type Sample = readonly [labels: Labels, value: number];

/** The metrics of rooms, in Prometheus's text format. */
export function roomMetrics(status: () => RoomsStatus | undefined): { text(): Promise<string> } {
  const registry = new Registry();
  const samples = (look: (status: RoomsStatus) => Iterable<Sample>): Sample[] => {
    const now = status();
    return now ? [...look(now)] : [];
  };
  new Gauge({
    name: "outlet_rooms",
    help: "Chat rooms.",
    registers: [registry],
    collect() {
      this.set(status()?.rooms.length ?? 0);
    },
  });
  new Gauge({
    name: "outlet_room_members",
    help: "Who is in the chat rooms, on this server and elsewhere.",
    labelNames: ["room", "where"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of samples(members)) this.set(labels, value);
    },
  });
  new Gauge({
    name: "outlet_bus_up",
    help: "Whether the bus between servers can be reached.",
    labelNames: ["bus"],
    registers: [registry],
    collect() {
      this.reset();
      const buses = ({ buses }: RoomsStatus) => buses.map(({ name, up }) => one(name, Number(up)));
      for (const [labels, value] of samples(buses)) this.set(labels, value);
    },
  });
  new Counter({
    name: "outlet_bus_reconnects_total",
    help: "How often the bus came back.",
    labelNames: ["bus"],
    registers: [registry],
    collect() {
      this.reset();
      const buses = ({ buses }: RoomsStatus) =>
        buses.map(({ name, reconnects }) => one(name, reconnects));
      for (const [labels, value] of samples(buses)) this.inc(labels, value);
    },
  });
  new Counter({
    name: "outlet_bus_messages_total",
    help:
      "Messages of rooms: that came (in) and went (out), of those that came the ones that were none (ignored); " +
      "and what never came (lost) or could not be sent (dropped).",
    labelNames: ["what"],
    registers: [registry],
    collect() {
      this.reset();
      const traffic = ({ traffic }: RoomsStatus) =>
        Object.entries(traffic).map(([what, value]) => [{ what }, value] as const);
      for (const [labels, value] of samples(traffic)) this.inc(labels, value);
    },
  });
  return { text: () => registry.metrics() };
}

function one(bus: string, value: number): Sample {
  return [{ bus }, value];
}

function* members({ rooms }: RoomsStatus): Generator<Sample> {
  for (const { name: room, here, elsewhere } of rooms) {
    yield [{ room, where: "here" }, here.length];
    yield [{ room, where: "elsewhere" }, elsewhere];
  }
}
