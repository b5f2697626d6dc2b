/**
 * Tests of real segments, and the rights that they take.
 *
 * @module
 */
import type { Flow } from "../../src/trace/track/flow.ts";
import { Tcpdump } from "../../src/trace/live/tcpdump.ts";
import { LiveCapture } from "../../src/trace/live/live_capture.ts";

/** How long a test waits for a segment to be seen before it says what was seen instead. */
export const PATIENCE = 20_000;

const MAY_CAPTURE = await mayCapture();
const MAY_MAKE_NAMESPACES = MAY_CAPTURE && mayMakeNamespaces();

/** A test of real segments; where they cannot be captured it is ignored, and says what it needs. */
export function testLive(name: string, run: () => Promise<void>): void {
  testIf(MAY_CAPTURE, { needs: "tcpdump and the right to capture", name, run });
}

/** A test in network namespaces of its own; where they cannot be made it is ignored, and says so. */
export function testInNamespaces(name: string, run: () => Promise<void>): void {
  testIf(MAY_MAKE_NAMESPACES, { needs: "tcpdump and the right to make namespaces", name, run });
}

/** The same, where the kernel has devices of this kind, made with these options of `ip link`. */
export function testWithDevice(
  { kind, options }: { kind: string; options: readonly string[] },
  name: string,
  run: () => Promise<void>,
): void {
  const isPossible = MAY_MAKE_NAMESPACES && mayMakeDevice(kind, options);
  testIf(isPossible, { needs: `namespaces, and a kernel with ${kind}`, name, run });
}

/** The same, where nftables can reject. */
export function testWithNft(name: string, run: () => Promise<void>): void {
  const needs = "namespaces, and a kernel and a program for nftables";
  testIf(MAY_MAKE_NAMESPACES && mayUseNft(), { needs, name, run });
}

function mayUseNft(): boolean {
  const namespace = `otr-${crypto.randomUUID().slice(0, 8)}`;
  if (!ip("netns", "add", namespace)) return false;
  const isMade = ip("netns", "exec", namespace, "nft", "add", "table", "inet", "filter");
  return ip("netns", "del", namespace) && isMade;
}

function mayMakeDevice(kind: string, options: readonly string[]): boolean {
  const namespace = `otr-${crypto.randomUUID().slice(0, 8)}`;
  if (!ip("netns", "add", namespace)) return false;
  const isMade = ip("-n", namespace, "link", "add", "probe", "type", kind, ...options);
  return ip("netns", "del", namespace) && isMade;
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
  const name = `otr-${crypto.randomUUID().slice(0, 8)}`;
  return ip("netns", "add", name) && ip("netns", "del", name);
}

/** Runs `ip`, and says whether it succeeded. */
function ip(...args: string[]): boolean {
  try {
    return new Deno.Command("ip", { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Watches connections of these ports on the loopback. */
export function watchLoopback(...ports: number[]): Promise<LiveCapture> {
  return LiveCapture.start({ interface: "lo", hosts: [], ports });
}

/** The first flow that fits, once it has come so far. */
export async function seen(watch: LiveCapture, fits: (flow: Flow) => boolean): Promise<Flow> {
  const flow = await watch.waitForFlow(fits, PATIENCE);
  if (flow !== undefined) return flow;
  const states = [...watch.flows()].map(({ client, server }) => `${client.state} ${server.state}`);
  throw new Error(`no flow came so far that ${fits}; there are: ${states.join(", ") || "none"}`);
}
