/**
 * Metrics of chat rooms and of the bus between servers.
 *
 * @module
 */
import type { BusStatus, RoomsStatus } from "../chat/status.ts";
import { type Family, labelText, type Sample } from "./exposition.ts";

/** The metrics of rooms and buses; without a status, those of a server without rooms. */
export function roomMetrics({ rooms, buses }: RoomsStatus = { rooms: [], buses: [] }): Family[] {
  return [
    {
      name: "outlet_rooms",
      help: "Chat rooms.",
      type: "gauge",
      samples: () => [{ labels: "", value: rooms.length }],
    },
    {
      name: "outlet_room_members",
      help: "Members of chat rooms, on this server and elsewhere.",
      type: "gauge",
      samples: () => members(rooms),
    },
    ...busMetrics(buses),
  ];
}

function busMetrics(buses: RoomsStatus["buses"]): Family[] {
  const samples = (valueOf: (bus: BusStatus) => number) => () =>
    buses.map((bus) => ({ labels: labelText({ bus: bus.name }), value: valueOf(bus) }));
  return [
    {
      name: "outlet_bus_up",
      help: "Whether this server is connected to the bus.",
      type: "gauge",
      samples: samples(({ state }) => Number(state === "up")),
    },
    {
      name: "outlet_bus_reconnects_total",
      help: "Reconnects to the bus.",
      type: "counter",
      samples: samples(({ reconnects }) => reconnects),
    },
    {
      name: "outlet_bus_queued_bytes",
      help: "Bytes that wait to be sent to the bus.",
      type: "gauge",
      samples: samples(({ queued }) => queued),
    },
    {
      name: "outlet_bus_messages_total",
      help: "Messages of rooms: received (in), sent (out), received but invalid (ignored), " +
        "not received (lost), and not sent (dropped).",
      type: "counter",
      samples: () => messages(buses),
    },
  ];
}

function* members(rooms: RoomsStatus["rooms"]): Generator<Sample> {
  for (const { name: room, here, elsewhere } of rooms) {
    const others = elsewhere.reduce((sum, { members }) => sum + members, 0);
    yield { labels: labelText({ room, where: "here" }), value: here };
    yield { labels: labelText({ room, where: "elsewhere" }), value: others };
  }
}

function* messages(buses: RoomsStatus["buses"]): Generator<Sample> {
  for (const { name: bus, traffic } of buses) {
    for (const [what, value] of Object.entries(traffic)) {
      yield { labels: labelText({ bus, what }), value };
    }
  }
}
