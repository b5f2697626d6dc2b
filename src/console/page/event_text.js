// @ts-check
/** Formats events. */
import { count, duration, size } from "./format.js";

/** The text of an event, without its name. @param {Record<string, any>} event @returns {string} */
export function eventText(event) {
  const { peer, connection, reason, text } = event;
  switch (event.event) {
    case "listening":
    case "metrics-listening":
      return `on ${event.address}`;
    case "opened":
      return `#${connection} from ${peer}`;
    case "refused":
    case "dropped":
      return notServed(event);
    case "service-output":
      return `#${connection}: ${text}`;
    case "closed":
      return `#${connection} from ${peer}: ${reason}, ${amount(event, "in")} in, ` +
        `${amount(event, "out")} out, ${duration(event.duration_ms)}`;
    case "stopped":
      return `on ${event.address}${event.aborted > 0 ? `, ${count(event.aborted)} aborted` : ""}`;
    case "ready":
      return readyText(event);
    case "reloaded":
      return `${event.opened} opened, ${event.closed} closed, ${event.changed} changed`;
    case "worker-restarted":
      return `worker ${event.worker}: ${reason}`;
    case "bus-connected":
      return `${event.bus} via ${event.server}`;
    case "bus-disconnected":
    case "bus-permission-denied":
      return `${event.bus}: ${reason}`;
    case "task-failed":
      return `${event.task}: ${reason}; ${event.consequence}`;
    case "unexpected-error":
      return `please report it: ${event.stack.join(" ")}`;
    case "draining":
      return `${count(event.connections)} connections have ${duration(event.timeout_ms)} to end`;
    default:
      return reason ?? text ?? "";
  }
}

/** Bytes, and datagrams where there were some. @param {Record<string, any>} event @param {string} way */
function amount(event, way) {
  const bytes = size(event[`bytes_${way}`]);
  const datagrams = event[`datagrams_${way}`];
  return datagrams === undefined ? bytes : `${count(datagrams)} datagrams (${bytes})`;
}

/** What was refused or dropped, and how many datagrams. @param {Record<string, any>} event */
function notServed({ event, peer, reason, datagrams = 1 }) {
  if (event === "dropped") {
    return `${count(datagrams)} datagrams: ${reason}${peer ? `, the last from ${peer}` : ""}`;
  }
  return `${peer}: ${reason}${datagrams > 1 ? `, the last of ${count(datagrams)} datagrams` : ""}`;
}

/** @param {Record<string, any>} event */
function readyText({ outlets, max_connections: most }) {
  return `${count(outlets)} outlets for up to ${count(most)} connections`;
}
