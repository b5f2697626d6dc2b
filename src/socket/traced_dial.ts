/**
 * Dialling, with the handshake shown: captured where that is possible, else inferred from what connect
 * said and how long it took.
 *
 * @module
 */
import { endpointText, parseAddress } from "../handshake/address_words.ts";
import type { Flow } from "../handshake/flow.ts";
import { type Attempt, inferLadder } from "../handshake/inferred_ladder.ts";
import { type Ladder, ladderOf } from "../handshake/ladder.ts";
import { NoCaptureError } from "../handshake/tcpdump.ts";
import { isSettled } from "../handshake/tracker.ts";
import { HandshakeWatch } from "../handshake/watch.ts";
import { type Address, addressOf, formatAddress, type InternetAddress, isUnix } from "./address.ts";
import { dial, type DialOptions, type DialStep } from "./dial.ts";
import { codeOf } from "./faults.ts";

/** How to dial, and who is shown the handshakes. */
export interface TracedDialOptions extends DialOptions {
  /** Takes the ladder of each address that was tried. */
  readonly onLadder: (ladder: Ladder) => void;
  /** Takes the reason why nothing is captured. */
  readonly onUncaptured: (reason: string) => void;
}

/** How long tcpdump may take to pass on what the kernel has done already, in milliseconds. */
const PASSAGE = 1000;

/** An address that was tried, and what came of it. */
interface Try {
  readonly address: InternetAddress;
  readonly startedAt: Date;
  readonly start: number;
  readonly end?: Extract<DialStep, { step: "failed" | "connected" }>;
}

/**
 * Like {@linkcode dial}, and shows a ladder for each address that was tried, also where that fails.
 *
 * @throws {Error} which says what was tried, what happened, and what that means
 */
export async function tracedDial(
  target: Address,
  options: TracedDialOptions,
): Promise<Deno.Conn> {
  await using watch = await startWatch(target, options);
  const tries = new Map<string, Try>();
  let socket: Deno.Conn | undefined;
  try {
    socket = await dial(target, {
      ...options,
      onStep(step) {
        note(step, tries);
        options.onStep?.(step);
      },
    });
    return socket;
  } finally {
    for (const attempt of tries.values()) {
      const ends = endsOf(attempt, socket);
      const ladder = watch && await captured(watch, attempt, ends);
      options.onLadder(ladder ?? inferred(attempt, ends));
    }
  }
}

async function startWatch(
  target: Address,
  { onUncaptured }: TracedDialOptions,
): Promise<HandshakeWatch | undefined> {
  if (isUnix(target)) {
    onUncaptured("a Unix socket has no handshake");
    return undefined;
  }
  const literal = parseAddress(target.hostname);
  const hosts = literal === undefined ? [] : [literal];
  try {
    return await HandshakeWatch.start({ interface: "any", hosts, ports: [target.port] });
  } catch (error) {
    if (!(error instanceof NoCaptureError)) throw error;
    onUncaptured(error.message);
    return undefined;
  }
}

function note(step: DialStep, tries: Map<string, Try>): void {
  if (step.step === "resolved" || isUnix(step.address)) return;
  const key = formatAddress(step.address);
  const before = tries.get(key);
  if (step.step === "trying") {
    tries.set(key, { address: step.address, startedAt: new Date(), start: performance.now() });
  } else if (before !== undefined) {
    tries.set(key, { ...before, end: step });
  }
}

/** Both ends as a capture writes them; ours is known once we are connected. */
interface Ends {
  readonly client?: string;
  readonly server: string;
}

function endsOf({ address, end }: Try, socket: Deno.Conn | undefined): Ends {
  if (end?.step === "connected" && socket !== undefined) {
    return {
      client: formatAddress(addressOf(socket.localAddr)),
      server: formatAddress(addressOf(socket.remoteAddr)),
    };
  }
  const words = parseAddress(address.hostname);
  return { server: words ? endpointText(words, address.port) : formatAddress(address) };
}

/** The ladder of what was really seen of an attempt. */
async function captured(
  watch: HandshakeWatch,
  attempt: Try,
  ends: Ends,
): Promise<Ladder | undefined> {
  // A refusal or a complete handshake is on its way to us; for silence, there is nothing to wait.
  const isSilent = outcomeOf(attempt) === "unanswered";
  const flow = await watch.until(
    (flow) => isBetween(flow, ends) && (isSilent || isSettled(flow)),
    PASSAGE,
  );
  return flow === undefined ? undefined : ladderOf(flow);
}

function isBetween({ client, server }: Flow, ends: Ends): boolean {
  return endpointText(server.address, server.port) === ends.server &&
    (ends.client === undefined || endpointText(client.address, client.port) === ends.client);
}

function outcomeOf({ end }: Try): Attempt["outcome"] {
  if (end?.step === "connected") return "established";
  switch (codeOf(end?.error)) {
    case "ECONNREFUSED":
      return "refused";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "unreachable";
    default:
      return "unanswered";
  }
}

function inferred(attempt: Try, ends: Ends): Ladder {
  const { startedAt, start, end } = attempt;
  const took = end?.took ?? performance.now() - start;
  return inferLadder({ ...ends, startedAt, took, outcome: outcomeOf(attempt) });
}
