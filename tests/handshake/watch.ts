/**
 * A live capture beside a test, and the rights that it takes.
 *
 * @module
 */
import type { Flow } from "../../src/handshake/flow.ts";
import { Follower } from "../../src/handshake/follower.ts";
import { Tcpdump } from "../../src/handshake/tcpdump.ts";
import { Tracker } from "../../src/handshake/tracker.ts";

/** How long a test waits for a segment to be seen before it says which one is missing. */
const PATIENCE = 20_000;

/** Whether this process may capture, tried once. */
export const MAY_CAPTURE: boolean = await mayCapture();

/** Whether this process may make network namespaces, tried once. */
export const MAY_MAKE_NAMESPACES: boolean = MAY_CAPTURE && mayMakeNamespaces();

/** A test of real segments; where they cannot be captured it is ignored, and says what it needs. */
export function testLive(name: string, run: () => Promise<void>): void {
  testIf(MAY_CAPTURE, { needs: "tcpdump and the right to capture", name, run });
}

/** A test in network namespaces of its own; where they cannot be made it is ignored, and says so. */
export function testInNamespaces(name: string, run: () => Promise<void>): void {
  testIf(MAY_MAKE_NAMESPACES, { needs: "tcpdump and the right to make namespaces", name, run });
}

function testIf(
  isPossible: boolean,
  { needs, name, run }: { needs: string; name: string; run: () => Promise<void> },
): void {
  const fullName = isPossible ? name : `${name} (ignored: needs ${needs})`;
  Deno.test({ name: fullName, ignore: !isPossible, fn: run });
}

async function mayCapture(): Promise<boolean> {
  try {
    await using _ = await Tcpdump.start({ interface: "any", hosts: [], ports: [9] });
    return true;
  } catch {
    return false;
  }
}

function mayMakeNamespaces(): boolean {
  const name = `otr-${Deno.pid}-probe`;
  const isMade = ip("netns", "add", name);
  return isMade && ip("netns", "del", name);
}

/** Runs `ip`, and says whether it succeeded. */
function ip(...args: string[]): boolean {
  try {
    return new Deno.Command("ip", { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Every flow of some ports, as its segments come. */
export class Watch implements AsyncDisposable {
  readonly flows: Flow[] = [];
  readonly #tcpdump: Tcpdump;
  readonly #following: Promise<void>;
  readonly #looks = new Set<() => void>();

  private constructor(tcpdump: Tcpdump) {
    this.#tcpdump = tcpdump;
    this.#following = this.#follow();
  }

  /** Starts to watch connections of these ports on the loopback. */
  static async start(...ports: number[]): Promise<Watch> {
    return new Watch(await Tcpdump.start({ interface: "lo", hosts: [], ports }));
  }

  /** Resolves to the first flow that the test accepts, now or once it has come so far. */
  async until(accepts: (flow: Flow) => boolean): Promise<Flow> {
    const { promise, resolve, reject } = Promise.withResolvers<Flow>();
    const look = () => {
      const found = this.flows.find(accepts);
      if (found !== undefined) resolve(found);
    };
    const states = () => this.flows.map(({ client, server }) => `${client.state} ${server.state}`);
    const timer = setTimeout(() => reject(new Error(`not ${accepts}: ${states()}`)), PATIENCE);
    this.#looks.add(look);
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#looks.delete(look);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tcpdump.end();
    await this.#following;
    await this.#tcpdump[Symbol.asyncDispose]();
  }

  async #follow(): Promise<void> {
    const tracker = new Tracker({ keepSegments: true, onBegun: (flow) => this.flows.push(flow) });
    const follower = new Follower(tracker);
    for await (const chunk of this.#tcpdump.chunks()) {
      follower.take(chunk);
      for (const look of this.#looks) look();
    }
  }
}
