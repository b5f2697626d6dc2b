/**
 * Flows in the order in which they were appended.
 *
 * @module
 */
import type { Flow } from "./flow.ts";

/** A list of flows of which any can leave, also the one just yielded. A flow is in one list at a time. */
export class FlowList {
  /** The first one. */
  oldest: Flow | undefined;
  /** The last one. */
  newest: Flow | undefined;
  /** How many there are. */
  size = 0;

  /** Adds a flow at the end. */
  append(flow: Flow): void {
    flow.list = this;
    flow.older = this.newest;
    flow.newer = undefined;
    if (this.newest === undefined) this.oldest = flow;
    else this.newest.newer = flow;
    this.newest = flow;
    this.size += 1;
  }

  /** Takes a flow out. */
  remove(flow: Flow): void {
    if (flow.older === undefined) this.oldest = flow.newer;
    else flow.older.newer = flow.newer;
    if (flow.newer === undefined) this.newest = flow.older;
    else flow.newer.older = flow.older;
    flow.list = flow.older = flow.newer = undefined;
    this.size -= 1;
  }

  /** The flows, oldest first. */
  *[Symbol.iterator](): Generator<Flow> {
    for (let flow = this.oldest; flow !== undefined;) {
      const { newer } = flow;
      yield flow;
      flow = newer;
    }
  }
}
