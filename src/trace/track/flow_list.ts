/**
 * A linked list of flows.
 *
 * @module
 */
import type { Flow } from "./flow.ts";

/**
 * A doubly linked list of flows in insertion order, with removal in O(1), also during iteration. A
 * flow is in at most one list.
 */
export class FlowList {
  /** First flow. */
  oldest: Flow | undefined;
  /** Last flow. */
  newest: Flow | undefined;
  /** Number of flows. */
  size = 0;

  /** Appends a flow. */
  append(flow: Flow): void {
    flow.list = this;
    flow.older = this.newest;
    flow.newer = undefined;
    if (this.newest === undefined) this.oldest = flow;
    else this.newest.newer = flow;
    this.newest = flow;
    this.size += 1;
  }

  /** Removes a flow. */
  remove(flow: Flow): void {
    if (flow.older === undefined) this.oldest = flow.newer;
    else flow.older.newer = flow.newer;
    if (flow.newer === undefined) this.newest = flow.older;
    else flow.newer.older = flow.older;
    flow.list = flow.older = flow.newer = undefined;
    this.size -= 1;
  }

  /** Iterates from the oldest flow to the newest. */
  *[Symbol.iterator](): Generator<Flow> {
    for (let flow = this.oldest; flow !== undefined;) {
      const { newer } = flow;
      yield flow;
      flow = newer;
    }
  }
}
