/**
 * The console's view of a server.
 *
 * @module
 */
import type { EventBus } from "../events/event_bus.ts";
import type { ServerState } from "../server/change_queue.ts";
import type { ServerHandle } from "../server/handle.ts";
import type { LiveConnection } from "../server/handle.ts";
import type { OpenOutlet } from "../server/handle.ts";
import type { LoopDelayWatch } from "../scheduling/loop_delay.ts";
import { RecentEvents } from "./recent_events.ts";
import { HttpError } from "./http_error.ts";
import { Traffic } from "./traffic.ts";

/** An open connection and its outlet. */
export interface ConnectionEntry {
  /** The outlet. */
  readonly outlet: OpenOutlet;
  /** The connection. */
  readonly connection: LiveConnection;
}

/**
 * The state and history of a server. It records events from the start, before the server's outlets
 * are open.
 */
export class ServerView implements Disposable {
  /** The last events. */
  readonly events: RecentEvents;
  /** The traffic. */
  readonly traffic: Traffic;
  #server: ServerHandle | undefined;
  #loop: LoopDelayWatch | undefined;

  /** Records events from now on. */
  constructor(eventBus: EventBus) {
    this.events = new RecentEvents(eventBus);
    this.traffic = new Traffic(eventBus, {
      live: () => this.#server?.connections() ?? [],
      takeLongestDelay: () => this.#loop?.takeLongest() ?? 0,
    });
  }

  /** The server. Throws while it is starting. */
  get server(): ServerHandle {
    if (this.#server) return this.#server;
    throw new HttpError(503, "the server is not open yet");
  }

  set server(server: ServerHandle) {
    this.#server = server;
    this.#loop?.[Symbol.dispose]();
    this.#loop = server.loopDelay.watch();
  }

  /** The state of the server; `starting` until it is set. */
  get state(): ServerState {
    return this.#server?.state ?? "starting";
  }

  /** All outlets; draining ones are last. */
  get outlets(): OpenOutlet[] {
    return [...this.server.outlets, ...this.server.draining];
  }

  /**
   * The outlet with this number.
   * @throws {HttpError} with status 404
   */
  outlet(number: number): OpenOutlet {
    const outlet = this.outlets.find(({ id }) => id === number);
    if (outlet) return outlet;
    throw new HttpError(404, `there is no outlet ${number}`);
  }

  /** The open connection with this number. */
  find(number: number): ConnectionEntry | undefined {
    for (const entry of this.server.connections()) {
      if (entry.connection.id === number) return entry;
    }
  }

  /**
   * The open connection with this number.
   * @throws {HttpError} with status 404
   */
  entry(number: number): ConnectionEntry {
    const entry = this.find(number);
    if (entry) return entry;
    throw new HttpError(404, `connection #${number} is not open`);
  }

  /** Stops recording. */
  [Symbol.dispose](): void {
    this.events[Symbol.dispose]();
    this.traffic[Symbol.dispose]();
    this.#loop?.[Symbol.dispose]();
  }
}
