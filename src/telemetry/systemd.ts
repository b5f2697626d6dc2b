/**
 * Telling systemd how the server is, as sd_notify(3) describes it: datagrams to a Unix socket.
 *
 * @module
 */
import { formatCount } from "../options/quantity.ts";
import { deadline } from "@std/async/deadline";
import type { OutletEvent } from "../events/events.ts";
import type { EventBus } from "../events/event_bus.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { countDropped } from "../terminal/drop_counts.ts";

const tasks = new TaskScope("telling systemd that the server lives", {
  without: "systemd will start it anew",
});

/** Where to tell it, and how often to say that the process lives. */
export interface SystemdOptions {
  /** `NOTIFY_SOCKET`: a path, or an abstract name behind `@`. */
  readonly socket: string;
  /** Milliseconds within which a sign of life is wanted, where one is. */
  readonly watchdog?: number | undefined;
}

/** What the service manager asks for in the environment; `undefined` where nobody asks. */
export function systemdOptions(
  env: Pick<Deno.Env, "get"> = Deno.env,
): SystemdOptions | undefined {
  const socket = env.get("NOTIFY_SOCKET");
  if (!socket || !/^[/@]/.test(socket)) return undefined;
  const microseconds = Number(env.get("WATCHDOG_USEC"));
  const isForUs = [undefined, String(Deno.pid)].includes(env.get("WATCHDOG_PID"));
  return { socket, watchdog: isForUs && microseconds > 0 ? microseconds / 1000 : undefined };
}

/** Tells the service manager what the event bus tells, until disposed. */
export function notifySystemd(
  eventBus: EventBus,
  { socket, watchdog }: SystemdOptions,
): AsyncDisposable {
  const notifier = new Notifier(socket);
  const subscription = eventBus.subscribe((event) => {
    const lines = linesFor(event);
    if (lines.length > 0) notifier.send(lines);
  });
  // Twice within the time, as sd_watchdog_enabled(3) advises.
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

/** What an event means to the service manager. */
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
      return ["STOPPING=1", `STATUS=draining ${formatCount(event.live, "connection")}`];
    default:
      return [];
  }
}

/**
 * The time on CLOCK_MONOTONIC, which systemd compares with when it asked for the reload. /proc/uptime counts
 * time asleep too, and hundredths of a second: a little late is right as well, early would not be.
 */
function monotonicMicroseconds(): number {
  const seconds = Number(Deno.readTextFileSync("/proc/uptime").split(" ")[0]);
  return Math.round((seconds + 0.01) * 1_000_000);
}

/** Messages that may wait for a manager that does not take them; more are dropped. */
const WAITING = 16;

/** How long the last of them may take when the process ends, in milliseconds. */
const FAREWELL = 500;

/** Sends messages in order. A manager that does not listen is no reason to fail, or to wait for long. */
class Notifier implements AsyncDisposable {
  readonly #to: Deno.UnixAddr;
  // An empty path lets the kernel choose an abstract name: no file is left behind.
  readonly #socket = Deno.listenDatagram({ transport: "unixpacket", path: "" });
  #waiting = 0;
  #sent: Promise<void> = Promise.resolve();

  constructor(socket: string) {
    this.#to = { transport: "unixpacket", path: socket.replace(/^@/, "\0") };
  }

  send(lines: readonly string[]): void {
    if (this.#waiting >= WAITING) return countDropped("systemd", 1);
    this.#waiting++;
    const message = new TextEncoder().encode(lines.join("\n"));
    this.#sent = this.#sent
      .then(() => this.#socket.send(message, this.#to))
      .then(() => {}, () => {})
      .finally(() => this.#waiting--);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await deadline(this.#sent, FAREWELL).catch(() => {});
    // A send that is still under way is not ended by this; the process does not wait for it.
    this.#socket.close();
  }
}
