/**
 * Looks up the server's socket for the diagnosis of a flow.
 *
 * @module
 */
import { addressText } from "../decode/ip_address.ts";
import type { Flow } from "../track/flow.ts";
import type { KernelSocket, ListenCounters } from "./parse_sockets.ts";
import { cacheTime, readBacklogs, readListenCounters, readSockets } from "./read_sockets.ts";
import { isListenerOf, isOwnAddress } from "./own_listeners.ts";
import { type Outcome, outcomeOf } from "../report/outcome.ts";
import type { ListenerState } from "../report/listener_state.ts";

/** Number of timings kept; the minimum counts, as others include preemption. */
const MAX_TIMINGS = 4;

/** Reports the listening socket's state for flows whose server is this machine. */
export class ListenerWatch {
  readonly #initialCounters = readListenCounters();
  #cached: { until: number; sockets: KernelSocket[]; counters: ListenCounters } | undefined;
  #costs: number[] = [];
  #backlogs: Map<string, number> | undefined;

  /** The state of the server's socket, for failed attempts to this machine. */
  stateFor(flow: Flow): ListenerState | undefined {
    if (!EXPLAINED_OUTCOMES.includes(outcomeOf(flow))) return undefined;
    const address = addressText(flow.server.address);
    if (!isOwnAddress(address)) return undefined;
    const { sockets, counters } = this.#current();
    const listener = sockets.find((socket) => isListenerOf(socket, address, flow.server.port));
    this.#backlogs ??= readBacklogs();
    const backlog = listener === undefined ? undefined : this.#backlogs.get(listener.local);
    return {
      isListening: listener !== undefined,
      queue: listener?.receiveQueue ?? 0,
      ...(backlog === undefined ? {} : { backlog }),
      overflows: counters.overflows - this.#initialCounters.overflows,
      cookies: counters.cookies - this.#initialCounters.cookies,
    };
  }

  #current(): { sockets: KernelSocket[]; counters: ListenCounters } {
    const at = performance.now();
    if (this.#cached === undefined || at > this.#cached.until) {
      if (this.#costs.length === 0) this.#readTimed();
      const read = this.#readTimed();
      const cost = Math.min(...this.#costs);
      this.#cached = {
        ...read,
        until: performance.now() + cacheTime(cost),
      };
    }
    return this.#cached;
  }

  #readTimed(): { sockets: KernelSocket[]; counters: ListenCounters } {
    const start = performance.now();
    const read = { sockets: readSockets(), counters: readListenCounters() };
    this.#costs = [...this.#costs, performance.now() - start].slice(-MAX_TIMINGS);
    return read;
  }
}

/** Outcomes that the socket state can explain. */
const EXPLAINED_OUTCOMES: readonly Outcome[] = ["unanswered", "stalled", "refused"];
