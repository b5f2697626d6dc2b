/**
 * The life of a server: open, change with its config, drain.
 *
 * @module
 */
import type { ServerConfig } from "../config/server_config.ts";
import type { ServerHandle } from "../server/handle.ts";
import { EventBus } from "../events/event_bus.ts";
import type { HttpAddresses } from "../events/server_events.ts";
import { Server } from "../server.ts";
import type { StandardStreams } from "../services/service.ts";
import { handledElsewhere } from "../scheduling/task_scope.ts";
import { prepareAll, type Preparing } from "./prepared.ts";
import { publishRejected } from "./config_changes.ts";

/** What a server depends on beside its config. */
export interface ServeOptions {
  /** Aborted to stop the server. */
  readonly signal: AbortSignal;
  /** Where events are published. */
  readonly eventBus?: EventBus;
  /** The standard streams, for the stdio service. */
  readonly standard?: StandardStreams;
  /** The addresses of metrics and console, for the server's `ready` event. */
  readonly http?: HttpAddresses;
  /** Called once all outlets listen; an error stops the server. */
  readonly onOpen?: (server: ServerHandle) => void | Promise<void>;
  /** Configs to change to; ends once the signal is aborted. */
  readonly changes?: AsyncIterable<ServerConfig>;
  /** What changes together with the server: everything, or nothing on an error. */
  readonly observers?: readonly Preparing[];
}

/**
 * Serves until the signal is aborted, then drains.
 *
 * @returns how many connections were aborted at the end of the drain timeout
 */
export async function serve(
  config: ServerConfig,
  { signal, eventBus = new EventBus(), onOpen, changes, observers = [], ...parts }: ServeOptions,
): Promise<number> {
  await using server = await openServer(config, { eventBus, ...parts });
  await onOpen?.(server);
  let { options } = config;
  const change = async (next: ServerConfig) => {
    await using undo = new AsyncDisposableStack();
    const prepared = undo.use(await prepareAll(observers, next.options));
    const changed = await server.change(next);
    undo.move();
    await prepared.commit();
    eventBus.publish({ event: "reloaded", ...changed });
    options = next.options;
  };
  const follow = async () => {
    for await (const next of changes ?? []) {
      await change(next).catch((error) => publishRejected(eventBus, error));
    }
    await aborted(signal);
  };
  const followed = follow();
  handledElsewhere(followed);
  await Promise.race([followed, aborted(server.failed), aborted(server.done)]);
  const grace = options["drain-timeout"];
  eventBus.publish({
    event: "draining",
    connections: [...server.connections()].length,
    timeout: grace,
  });
  const count = await server.stop({ grace });
  server.failed.throwIfAborted();
  return count;
}

/** A server in this thread, or one with several workers. */
async function openServer(
  config: ServerConfig,
  parts: { eventBus: EventBus } & Pick<ServeOptions, "standard" | "http">,
): Promise<ServerHandle> {
  const { workers } = config.options;
  const count = workers === "auto" ? navigator.hardwareConcurrency : workers;
  if (count === 1) return await Server.open(config, parts);
  const { Supervisor } = await import("../workers/supervisor.ts");
  return await Supervisor.open(config, {
    workers: count,
    eventBus: parts.eventBus,
    http: parts.http,
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
