/**
 * Notifies systemd of the server's state, as described in sd_notify(3).
 *
 * @module
 */
import { formatCount } from "../options/quantity.ts";
import { deadline } from "@std/async/deadline";
import type { OutletEvent } from "../events/events.ts";
import type { EventBus } from "../events/event_bus.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { countDropped } from "../terminal/drop_counts.ts";

const tasks = new TaskScope("notifying systemd's watchdog", {
  consequence: "systemd will restart the server",
});

/** Where to send notifications, and how often to the watchdog. */
export interface SystemdOptions {
  /** `NOTIFY_SOCKET`: a path, or an abstract name after `@`. */
  readonly socket: string;
  /** The watchdog's timeout in milliseconds, if enabled. */
  readonly watchdog?: number | undefined;
}

/** The options from the environment; `undefined` without a service manager. */
export function systemdOptions(
  env: Pick<Deno.Env, "get"> = Deno.env,
): SystemdOptions | undefined {
  const socket = env.get("NOTIFY_SOCKET");
  if (!socket || !/^[/@]/.test(socket)) return undefined;
  const microseconds = Number(env.get("WATCHDOG_USEC"));
  const isForUs = [undefined, String(Deno.pid)].includes(env.get("WATCHDOG_PID"));
  return { socket, watchdog: isForUs && microseconds > 0 ? microseconds / 1000 : undefined };
}

/** Sends notifications for events until the result is disposed. */
export function notifySystemd(
  eventBus: EventBus,
  { socket, watchdog }: SystemdOptions,
): AsyncDisposable {
  const notifier = new Notifier(socket);
  const subscription = eventBus.subscribe((event) => {
    const lines = linesFor(event);
    if (lines.length > 0) notifier.send(lines);
  });
  // Half of the timeout, as recommended in sd_watchdog_enabled(3).
  const timer = watchdog &&
    setInterval(tasks.guard(() => notifier.send(["WATCHDOG=1"])), watchdog / 2);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      subscription[Symbol.dispose]();
      await notifier[Symbol.asyncDispose]();
    },
  };
}

/** The notification for an event; empty if there is none. */
function linesFor(event: OutletEvent): string[] {
  switch (event.event) {
    case "ready":
      return ["READY=1", `STATUS=${event.outlets} outlets open`];
    case "reloading":
      return ["RELOADING=1", `MONOTONIC_USEC=${monotonicMicroseconds()}`, "STATUS=reloading"];
    case "reloaded":
      return [
        "READY=1",
        `STATUS=reloaded: ${event.opened} outlets opened, ${event.closed} closed, ${event.changed} changed`,
      ];
    case "rejected":
      return ["READY=1", `STATUS=config rejected: ${event.reason.replaceAll("\n", " ")}`];
    case "draining":
      return ["STOPPING=1", `STATUS=draining ${formatCount(event.connections, "connection")}`];
    default:
      return [];
  }
}

/**
 * The time on CLOCK_MONOTONIC, which systemd compares with the time of its reload request. /proc/uptime includes
 * suspended time and has a resolution of 10 ms; a value that is too late is harmless, one too early is not.
 */
function monotonicMicroseconds(): number {
  const seconds = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  return Math.round((seconds + 0.01) * 1_000_000);
}

/** The most pending notifications; others are dropped. */
const MAX_PENDING = 16;

/** How long pending notifications may take when the process ends, in milliseconds. */
const SEND_TIMEOUT = 500;

/** Sends notifications in order. Errors are ignored, because the server works without a service manager. */
class Notifier implements AsyncDisposable {
  readonly #to: Deno.UnixAddr;
  // With an empty path, the kernel chooses an abstract name (unix(7)).
  readonly #socket = Deno.listenDatagram({ transport: "unixpacket", path: "" });
  #pending = 0;
  #sent: Promise<void> = Promise.resolve();

  constructor(socket: string) {
    this.#to = { transport: "unixpacket", path: socket.replace(/^@/, "\0") };
  }

  send(lines: readonly string[]): void {
    if (this.#pending >= MAX_PENDING) return countDropped("systemd", 1);
    this.#pending++;
    const message = new TextEncoder().encode(lines.join("\n"));
    this.#sent = this.#sent
      .then(() => this.#socket.send(message, this.#to))
      .then(() => {}, () => {})
      .finally(() => this.#pending--);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await deadline(this.#sent, SEND_TIMEOUT).catch(() => {});
    // This does not cancel a pending send, which does not keep the process alive.
    this.#socket.close();
  }
}
