/**
 * Chat rooms and the bus between servers, for Prometheus: looked up when somebody asks.
 *
 * @module
 */
import { Counter, Gauge, Registry } from "prom-client";
import type { BusStatus, RoomsStatus } from "../chat/status.ts";

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
      const up = each(({ state }) => Number(state === "up"));
      for (const [labels, value] of samples(up)) this.set(labels, value);
    },
  });
  new Counter({
    name: "outlet_bus_reconnects_total",
    help: "How often the bus came back.",
    labelNames: ["bus"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of samples(each(({ reconnects }) => reconnects))) {
        this.inc(labels, value);
      }
    },
  });
  new Gauge({
    name: "outlet_bus_queued_bytes",
    help: "Bytes that wait here because the bus does not take them.",
    labelNames: ["bus"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of samples(each(({ queued }) => queued))) this.set(labels, value);
    },
  });
  new Counter({
    name: "outlet_bus_messages_total",
    help:
      "Messages of rooms: that came (in) and went (out), of those that came the ones that were none (ignored); " +
      "and what never came (lost) or could not be sent (dropped).",
    labelNames: ["bus", "what"],
    registers: [registry],
    collect() {
      this.reset();
      const traffic = ({ buses }: RoomsStatus) =>
        buses.flatMap(({ name: bus, traffic }) =>
          Object.entries(traffic).map(([what, value]) => [{ bus, what }, value] as const)
        );
      for (const [labels, value] of samples(traffic)) this.inc(labels, value);
    },
  });
  return { text: () => registry.metrics() };
}

/** A value of each bus. */
function each(valueOf: (bus: BusStatus) => number): (status: RoomsStatus) => Sample[] {
  return ({ buses }) => buses.map((bus) => [{ bus: bus.name }, valueOf(bus)]);
}

function* members({ rooms }: RoomsStatus): Generator<Sample> {
  for (const { name: room, here, elsewhere } of rooms) {
    yield [{ room, where: "here" }, here];
    yield [
      { room, where: "elsewhere" },
      elsewhere.reduce((sum, { members }) => sum + members, 0),
    ];
  }
}
