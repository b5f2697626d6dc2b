/**
 * Notes on a whole flow: ISNs, counters, and what the capture missed.
 *
 * @module
 */
import { formatDuration } from "./elapsed.ts";
import type { Flow } from "../track/flow.ts";
import { missingLength } from "../track/sequence_space.ts";

/** Tunnels of both directions, if any. */
export function tunnelText({ client, server }: Flow): string[] {
  const there = client.tunnels.join(", ");
  const back = server.tunnels.join(", ");
  if (there === "" && back === "") return [];
  const isOne = there === back || server.segments === 0;
  return [isOne ? `in ${there}` : `in ${there || "no tunnel"} →, ← ${back || "no tunnel"}`];
}

/** The notes below a ladder. */
export function notesOf(flow: Flow): string[] {
  return [...sequenceNotes(flow), ...countNotes(flow), ...captureNotes(flow)];
}

function sequenceNotes(flow: Flow): string[] {
  const { client, server, otherSynAckIsns } = flow;
  const notes: string[] = [];
  if (client.hasIsn) {
    notes.push(`j = ${client.isn}${server.hasIsn ? `, k = ${server.isn}` : ""}`);
  } else if (server.hasIsn) {
    notes.push(`j unknown: its SYN was not captured, k = ${server.isn}`);
  }
  if (otherSynAckIsns.length > 0) {
    notes.push(
      `another SYN+ACK had k = ${otherSynAckIsns.join(", ")}: a stale or forged one, or a second ` +
        "host behind the address (inferred)",
    );
  }
  return notes;
}

function countNotes({ client, server, late }: Flow): string[] {
  const notes: string[] = [];
  if (client.bytes + server.bytes > 0) {
    notes.push(`${bytesText(client.bytes)} →, ← ${bytesText(server.bytes)}`);
  }
  const counts = [
    ["↻ retransmissions", client.retransmissions + server.retransmissions],
    ["out of order", client.outOfOrder + server.outOfOrder],
    ["keep-alives", client.keepAlives + server.keepAlives],
    ["zero-window probes", client.windowProbes + server.windowProbes],
    ["after the end", late],
  ] as const;
  for (const [name, count] of counts) if (count > 0) notes.push(`${name}: ${count}`);
  return notes;
}

function captureNotes(flow: Flow): string[] {
  const notes: string[] = [];
  const missing = [missingLength(flow.client), missingLength(flow.server)] as const;
  if (missing[0] + missing[1] > 0) {
    notes.push(`not captured: ${bytesText(missing[0])} →, ← ${bytesText(missing[1])}`);
  }
  if (flow.duplicates > 0) notes.push(`duplicate segments, counted once: ${flow.duplicates}`);
  if (flow.isReordered) notes.push("captured in another order than on the wire");
  if (flow.clockBack > 0) {
    notes.push(
      `the capture's clock went back ${
        formatDuration(flow.clockBack)
      }, so that times are uncertain`,
    );
  }
  return notes;
}

function bytesText(count: number): string {
  return count === 1 ? "1 byte" : `${count} bytes`;
}
