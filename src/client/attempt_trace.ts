/**
 * The handshakes of one's own attempts: captured where that is possible, else inferred from what connect
 * said and how long it took.
 *
 * @module
 */
import { endpointText, parseAddress } from "../trace/decode/ip_words.ts";
import type { Flow } from "../trace/track/flow.ts";
import { type Attempt, inferLadder } from "../trace/report/inferred_ladder.ts";
import { type Ladder, ladderOf } from "../trace/report/ladder.ts";
import { NoCaptureError } from "../trace/live/tcpdump.ts";
import { isSettled } from "../trace/track/tracker.ts";
import { LiveCapture } from "../trace/live/live_capture.ts";
import {
  type Address,
  addressOf,
  formatAddress,
  type InternetAddress,
  isUnix,
} from "../endpoint/address.ts";
import type { ByteStream } from "../transport/stream.ts";
import type { DialStep } from "../transport/dial.ts";
import { codeOf } from "../transport/errors.ts";

/** How long tcpdump may take to pass on what the kernel has done already, in milliseconds. */
const PASSAGE = 1000;

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
      if (!(error instanceof NoCaptureError)) throw error;
      tell(error.message);
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
  async ladders(socket?: Pick<ByteStream, "localAddr" | "remoteAddr">): Promise<Ladder[]> {
    const ladders: Ladder[] = [];
    for (const attempt of this.#tries.values()) {
      const ends = endsOf(attempt, socket);
      ladders.push(await this.#captured(attempt, ends) ?? inferred(attempt, ends));
    }
    return ladders;
  }

  /** Ends the capture. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#capture?.[Symbol.asyncDispose]();
  }

  /** The ladder of what was really seen of an attempt. */
  async #captured(attempt: Try, ends: Ends): Promise<Ladder | undefined> {
    // A refusal or a complete handshake is on its way to us; for silence, there is nothing to wait.
    const isSilent = outcomeOf(attempt) === "unanswered";
    const flow = await this.#capture?.until(
      (flow) => isBetween(flow, ends) && (isSilent || isSettled(flow)),
      PASSAGE,
    );
    return flow === undefined ? undefined : ladderOf(flow);
  }
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
