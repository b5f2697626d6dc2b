/**
 * Tests with live captures, ignored without the necessary privileges.
 *
 * @module
 */
import type { Flow } from "../../src/trace/track/flow.ts";
import { Tcpdump } from "../../src/trace/live/tcpdump.ts";
import { LiveCapture } from "../../src/trace/live/live_capture.ts";

/** Time limit for a segment to be captured, in milliseconds. */
export const TIME_LIMIT = 20_000;

const CAN_CAPTURE = await canCapture();
const CAN_MAKE_NAMESPACES = CAN_CAPTURE && canMakeNamespaces();

/** A test with a live capture; ignored without the permission to capture. */
export function testLive(name: string, run: () => Promise<void>): void {
  testIf(CAN_CAPTURE, { needs: "tcpdump and the right to capture", name, run });
}

/** A test in network namespaces; ignored without the permission to create them. */
export function testInNamespaces(name: string, run: () => Promise<void>): void {
  testIf(CAN_MAKE_NAMESPACES, { needs: "tcpdump and the right to make namespaces", name, run });
}

/** The same; ignored if the kernel cannot create such a device. */
export function testWithDevice(
  { kind, options }: { kind: string; options: readonly string[] },
  name: string,
  run: () => Promise<void>,
): void {
  const isPossible = CAN_MAKE_NAMESPACES && canMakeDevice(kind, options);
  testIf(isPossible, { needs: `namespaces, and a kernel with ${kind}`, name, run });
}

/** The same; ignored without nftables. */
export function testWithNft(name: string, run: () => Promise<void>): void {
  const needs = "namespaces, and a kernel and a program for nftables";
  testIf(CAN_MAKE_NAMESPACES && canUseNft(), { needs, name, run });
}

function canUseNft(): boolean {
  const namespace = `otr-${crypto.randomUUID().slice(0, 8)}`;
  if (!ip("netns", "add", namespace)) return false;
  const isMade = ip("netns", "exec", namespace, "nft", "add", "table", "inet", "filter");
  return ip("netns", "del", namespace) && isMade;
}

function canMakeDevice(kind: string, options: readonly string[]): boolean {
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

async function canCapture(): Promise<boolean> {
  try {
    await using _ = await Tcpdump.start({ interface: "any", hosts: [], ports: [9] });
    return true;
  } catch {
    return false;
  }
}

function canMakeNamespaces(): boolean {
  const name = `otr-${crypto.randomUUID().slice(0, 8)}`;
  return ip("netns", "add", name) && ip("netns", "del", name);
}

/** Runs ip(8); returns whether it succeeded. */
function ip(...args: string[]): boolean {
  try {
    return new Deno.Command("ip", { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Captures connections of these ports on loopback. */
export function captureLoopback(...ports: number[]): Promise<LiveCapture> {
  return LiveCapture.start({ interface: "lo", hosts: [], ports });
}

/** Waits for a flow. */
export async function waitForFlow(
  watch: LiveCapture,
  fits: (flow: Flow) => boolean,
): Promise<Flow> {
  const flow = await watch.waitForFlow(fits, TIME_LIMIT);
  if (flow !== undefined) return flow;
  const states = [...watch.flows()].map(({ client, server }) => `${client.state} ${server.state}`);
  throw new Error(`no flow came so far that ${fits}; there are: ${states.join(", ") || "none"}`);
}
