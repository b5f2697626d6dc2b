/**
 * The handshakes of one's own attempts: captured where that is possible, else inferred from what connect
 * said and how long it took.
 *
 * @module
 */
import { endpointText, parseAddress } from "../trace/decode/ip_address.ts";
import type { Flow } from "../trace/track/flow.ts";
import { type Attempt, inferLadder } from "../trace/report/inferred_ladder.ts";
import { type Ladder, ladderOf } from "../trace/report/ladder.ts";
import { NoCaptureError } from "../trace/live/tcpdump.ts";
import { nextHopOf } from "../trace/kernel/next_hop.ts";
import { ListenerWatch } from "../trace/kernel/listener_watch.ts";
import { LiveCapture } from "../trace/live/live_capture.ts";
import { unsentLadder } from "../trace/report/unsent_ladder.ts";
import {
  type Address,
  addressOf,
  formatAddress,
  type InternetAddress,
  isUnix,
} from "../endpoint/address.ts";
import type { ByteStream } from "../transport/stream.ts";
import type { DialStep } from "../transport/dial.ts";
import { codeOf, explain } from "../transport/errors.ts";
import { unsentCause } from "./unsent.ts";

/** How long tcpdump may take to pass on what the kernel has done already, in milliseconds. */
const PASSAGE = 5000;

/** An address that was tried, and what came of it. */
interface Try {
  readonly address: InternetAddress;
  readonly startedAt: Date;
  readonly start: number;
  readonly end?: Extract<DialStep, { step: "failed" | "connected" }>;
}

/** Both ends as a capture writes them; ours is known once we are connected. */
interface Ends {
  readonly client?: string;
  readonly server: string;
}

/** Watches attempts to connect from before they begin. Disposing it ends the capture. */
export class AttemptTrace implements AsyncDisposable {
  readonly #capture: LiveCapture | undefined;
  readonly #kernel = new ListenerWatch();
  readonly #tries = new Map<string, Try>();

  private constructor(watch: LiveCapture | undefined) {
    this.#capture = watch;
  }

  /** Begins to watch what is going to be dialled; `tell` hears why it can't be captured, if so. */
  static async start(target: Address, tell: (reason: string) => void): Promise<AttemptTrace> {
    if (isUnix(target)) {
      tell("a Unix socket has no handshake");
      return new AttemptTrace(undefined);
    }
    const literal = parseAddress(target.hostname);
    const hosts = literal === undefined ? [] : [literal];
    try {
      const options = { interface: "any", hosts, ports: [target.port] };
      return new AttemptTrace(await LiveCapture.start(options));
    } catch (error) {
      const isTold = error instanceof NoCaptureError;
      tell(isTold ? error.message : `cannot capture: ${explain(error)}`);
      return new AttemptTrace(undefined);
    }
  }

  /** Takes a step on the way; those that are no attempt are no matter. */
  step(step: { readonly step: string } | DialStep): void {
    if (!isAttempt(step) || isUnix(step.address)) return;
    const key = formatAddress(step.address);
    const before = this.#tries.get(key);
    if (step.step === "trying") {
      const { address } = step;
      this.#tries.set(key, { address, startedAt: new Date(), start: performance.now() });
    } else if (before !== undefined) {
      this.#tries.set(key, { ...before, end: step });
    }
  }

  /** The ladder of each address that was tried, with the socket that came of it, if one did. */
  async ladders(
    socket?: Pick<ByteStream, "localAddr" | "remoteAddr">,
    { isRelative = false } = {},
  ): Promise<Ladder[]> {
    const capture = this.#capture;
    if (capture === undefined) {
      return [...this.#tries.values()].map((attempt) => inferred(attempt, endsOf(attempt, socket)));
    }
    const isComplete = await capture.waitUntilCurrent(PASSAGE);
    const ladders: Ladder[] = [];
    for (const attempt of this.#tries.values()) {
      const ends = endsOf(attempt, socket);
      const flow = latestOf(capture, attempt, ends);
      if (flow !== undefined) {
        ladders.push(ladderOf(flow, { isRelative, listener: this.#kernel.stateFor(flow) }));
      } else {
        const isSent = attempt.end?.step === "connected" || !isComplete;
        ladders.push(isSent ? inferred(attempt, ends) : await unsent(attempt, ends));
      }
    }
    return ladders;
  }

  /** Ends the capture. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#capture?.[Symbol.asyncDispose]();
  }
}

/** The latest flow of an attempt, if anything of it was on the wire. */
function latestOf(capture: LiveCapture, attempt: Try, ends: Ends): Flow | undefined {
  let latest: Flow | undefined;
  for (const flow of capture.flows()) {
    const isOurs = isBetween(flow, ends) && isDuring(flow, attempt);
    if (isOurs && (latest === undefined || flow.number > latest.number)) latest = flow;
  }
  return latest;
}

/** The clocks of the capture and ours are the same, but for rounding. */
function isDuring({ origin, lastAt }: Flow, { startedAt }: Try): boolean {
  return origin * 1000 + lastAt >= startedAt.getTime() - 1000;
}

async function unsent(attempt: Try, ends: Ends): Promise<Ladder> {
  const { address: { hostname }, startedAt, start, end } = attempt;
  const hop = await nextHopOf(hostname);
  const cause = unsentCause(hostname, { code: errorCodeOf(attempt), hop });
  const took = end?.took ?? performance.now() - start;
  return unsentLadder({ server: ends.server, startedAt, took, ...cause });
}

type AttemptStep = Extract<DialStep, { step: "trying" | "failed" | "connected" }>;

function isAttempt(step: { readonly step: string }): step is AttemptStep {
  return step.step === "trying" || step.step === "failed" || step.step === "connected";
}

function endsOf(
  { address, end }: Try,
  socket: Pick<ByteStream, "localAddr" | "remoteAddr"> | undefined,
): Ends {
  if (end?.step === "connected" && socket !== undefined) {
    return {
      client: formatAddress(addressOf(socket.localAddr)),
      server: formatAddress(addressOf(socket.remoteAddr)),
    };
  }
  const words = parseAddress(address.hostname);
  return { server: words ? endpointText(words, address.port) : formatAddress(address) };
}

function isBetween({ client, server }: Flow, ends: Ends): boolean {
  return endpointText(server.address, server.port) === ends.server &&
    (ends.client === undefined || endpointText(client.address, client.port) === ends.client);
}

function errorCodeOf({ end }: Try): string | undefined {
  return end?.step === "failed" ? codeOf(end.error) : undefined;
}

function outcomeOf(attempt: Try): Attempt["outcome"] {
  if (attempt.end?.step === "connected") return "established";
  switch (errorCodeOf(attempt)) {
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
