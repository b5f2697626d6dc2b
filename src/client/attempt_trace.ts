/**
 * The handshakes of the client's own connection attempts: captured if possible, otherwise inferred from the result of
 * connect(2) and its duration.
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

/** How long to wait for tcpdump to pass on captured packets, in milliseconds. */
const CAPTURE_DELAY = 5000;

/** An attempt to connect, and its result once known. */
interface TracedAttempt {
  readonly address: InternetAddress;
  readonly startedAt: Date;
  readonly start: number;
  readonly end?: Extract<DialStep, { step: "failed" | "connected" }>;
}

/** Both endpoints as text; the client's is known once connected. */
interface AttemptEndpoints {
  readonly client?: string;
  readonly server: string;
}

/** Traces connection attempts. Disposing it ends the capture. */
export class AttemptTrace implements AsyncDisposable {
  readonly #capture: LiveCapture | undefined;
  readonly #kernel = new ListenerWatch();
  readonly #attempts = new Map<string, TracedAttempt>();

  private constructor(watch: LiveCapture | undefined) {
    this.#capture = watch;
  }

  /** Starts the capture. `log` gets the reason if that fails; handshakes are then inferred. */
  static async start(target: Address, log: (reason: string) => void): Promise<AttemptTrace> {
    if (isUnix(target)) {
      log("a Unix socket has no TCP handshake");
      return new AttemptTrace(undefined);
    }
    const literal = parseAddress(target.hostname);
    const hosts = literal === undefined ? [] : [literal];
    try {
      const options = { interface: "any", hosts, ports: [target.port] };
      return new AttemptTrace(await LiveCapture.start(options));
    } catch (error) {
      const isExplained = error instanceof NoCaptureError;
      log(isExplained ? error.message : `cannot capture: ${explain(error)}`);
      return new AttemptTrace(undefined);
    }
  }

  /** Records the start or the result of an attempt; ignores other steps. */
  step(step: { readonly step: string } | DialStep): void {
    if (!isAttempt(step) || isUnix(step.address)) return;
    const key = formatAddress(step.address);
    const before = this.#attempts.get(key);
    if (step.step === "trying") {
      const { address } = step;
      this.#attempts.set(key, { address, startedAt: new Date(), start: performance.now() });
    } else if (before !== undefined) {
      this.#attempts.set(key, { ...before, end: step });
    }
  }

  /** The ladder of each attempt; `socket` is the connection, if there is one. */
  async ladders(
    socket?: Pick<ByteStream, "localAddr" | "remoteAddr">,
    { isRelative = false } = {},
  ): Promise<Ladder[]> {
    const capture = this.#capture;
    if (capture === undefined) {
      return [...this.#attempts.values()].map((attempt) =>
        inferredLadder(attempt, endpointsOf(attempt, socket))
      );
    }
    const isComplete = await capture.waitUntilCurrent(CAPTURE_DELAY);
    const ladders: Ladder[] = [];
    for (const attempt of this.#attempts.values()) {
      const ends = endpointsOf(attempt, socket);
      const flow = latestFlow(capture, attempt, ends);
      if (flow !== undefined) {
        ladders.push(ladderOf(flow, { isRelative, listener: this.#kernel.stateFor(flow) }));
      } else {
        const isSent = attempt.end?.step === "connected" || !isComplete;
        ladders.push(isSent ? inferredLadder(attempt, ends) : await explainedUnsent(attempt, ends));
      }
    }
    return ladders;
  }

  /** Ends the capture. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#capture?.[Symbol.asyncDispose]();
  }
}

/** The latest flow of an attempt, if any of its segments were captured. */
function latestFlow(
  capture: LiveCapture,
  attempt: TracedAttempt,
  ends: AttemptEndpoints,
): Flow | undefined {
  let latest: Flow | undefined;
  for (const flow of capture.flows()) {
    const isOurs = isBetween(flow, ends) && isDuring(flow, attempt);
    if (isOurs && (latest === undefined || flow.number > latest.number)) latest = flow;
  }
  return latest;
}

/** Both times are from the system's clock, but rounded differently. */
function isDuring({ origin, lastAt }: Flow, { startedAt }: TracedAttempt): boolean {
  return origin * 1000 + lastAt >= startedAt.getTime() - 1000;
}

async function explainedUnsent(attempt: TracedAttempt, ends: AttemptEndpoints): Promise<Ladder> {
  const { address: { hostname }, startedAt, start, end } = attempt;
  const hop = await nextHopOf(hostname);
  const cause = unsentCause(hostname, { code: errorCodeOf(attempt), hop });
  const elapsed = end?.elapsed ?? performance.now() - start;
  return unsentLadder({ server: ends.server, startedAt, elapsed, ...cause });
}

type AttemptStep = Extract<DialStep, { step: "trying" | "failed" | "connected" }>;

function isAttempt(step: { readonly step: string }): step is AttemptStep {
  return step.step === "trying" || step.step === "failed" || step.step === "connected";
}

function endpointsOf(
  { address, end }: TracedAttempt,
  socket: Pick<ByteStream, "localAddr" | "remoteAddr"> | undefined,
): AttemptEndpoints {
  if (end?.step === "connected" && socket !== undefined) {
    return {
      client: formatAddress(addressOf(socket.localAddr)),
      server: formatAddress(addressOf(socket.remoteAddr)),
    };
  }
  const words = parseAddress(address.hostname);
  return { server: words ? endpointText(words, address.port) : formatAddress(address) };
}

function isBetween({ client, server }: Flow, ends: AttemptEndpoints): boolean {
  return endpointText(server.address, server.port) === ends.server &&
    (ends.client === undefined || endpointText(client.address, client.port) === ends.client);
}

function errorCodeOf({ end }: TracedAttempt): string | undefined {
  return end?.step === "failed" ? codeOf(end.error) : undefined;
}

function outcomeOf(attempt: TracedAttempt): Attempt["outcome"] {
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

function inferredLadder(attempt: TracedAttempt, ends: AttemptEndpoints): Ladder {
  const { startedAt, start, end } = attempt;
  const elapsed = end?.elapsed ?? performance.now() - start;
  return inferLadder({ ...ends, startedAt, elapsed, outcome: outcomeOf(attempt) });
}
