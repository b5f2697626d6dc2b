/**
 * `outlet trace`: reads a capture and prints its TCP connections.
 *
 * @module
 */
import type { TraceOptions } from "./config/trace_config.ts";
import { endpointText } from "./trace/decode/ip_address.ts";
import { CaptureError } from "./trace/decode/packet.ts";
import { formatDuration } from "./trace/report/elapsed.ts";
import type { Flow } from "./trace/track/flow.ts";
import { CapturePipeline, type Filter } from "./trace/track/capture_pipeline.ts";
import { type Ladder, ladderOf } from "./trace/report/ladder.ts";
import { renderLadders } from "./trace/report/ladder_svg.ts";
import { renderLadder } from "./trace/report/ladder_text.ts";
import { omissionLines } from "./trace/report/omissions.ts";
import { recordOf } from "./trace/report/record.ts";
import type { SegmentHistory } from "./trace/track/segment_history.ts";
import type { Role } from "./trace/track/state.ts";
import { Summary } from "./trace/report/summary.ts";
import { Tracker } from "./trace/track/tracker.ts";
import { diagnose } from "./trace/report/diagnosis.ts";
import type { ListenerState } from "./trace/report/listener_state.ts";

/** Input and output of {@linkcode trace}. */
export interface TraceIo {
  /** Chunks of the capture; `undefined` is a tick without data. */
  readonly chunks: AsyncIterable<Uint8Array | undefined>;
  /** Connections to show. */
  readonly filter: Filter;
  /** Whether the capture is live, so that time passes without packets. */
  readonly isLive: boolean;
  /** Whether the capture is a pipe, so that finished connections are shown before its end. */
  readonly isStream?: boolean;
  /** Whether the output is coloured. */
  readonly color: boolean;
  /** State of the server's socket, if it is on this machine. */
  listenerState?(flow: Flow): ListenerState | undefined;
  /** Writes text to the output; no more is read until it resolves. */
  write(text: string): Promise<void>;
  /** Writes a diagnostic line to stderr. */
  log(line: string): void;
}

/** Interval at which finished connections of a pipe are shown, in milliseconds. */
const REPORT_INTERVAL = 1000;

/** Maximum number of ladders in an SVG image. */
const MAX_DRAWN = 200;

/**
 * Shows every TCP connection of a capture.
 *
 * @returns the SVG image, if requested
 * @throws {CaptureError} if the capture is damaged, after the part before the damage is shown
 */
export async function trace(options: TraceOptions, io: TraceIo): Promise<string | undefined> {
  const session = new TraceSession(options, io);
  const damage = await session.readAll();
  await session.finish();
  if (damage !== undefined) throw damage;
  if (session.hasDecodedNothing && !io.isLive) {
    throw new CaptureError("no packet in it could be decoded");
  }
  return session.svg;
}

class TraceSession {
  readonly #options: TraceOptions;
  readonly #io: TraceIo;
  readonly #summary = new Summary();
  readonly #tracker: Tracker;
  readonly #pipeline: CapturePipeline;
  readonly #drawn: Ladder[] = [];
  readonly #shownEntries = new WeakMap<SegmentHistory, number>();
  #pendingText: string[] = [];
  #finished = 0;
  #reportedAt = performance.now();

  constructor(options: TraceOptions, io: TraceIo) {
    this.#options = options;
    this.#io = io;
    const showsProgress = io.isLive && !options.json && !options.summary;
    this.#tracker = new Tracker({
      limit: options.flows,
      reusesFlows: true,
      keepSegments: options.svg !== undefined || (!options.json && !options.summary),
      onFlow: (flow) => this.#addFlow(flow),
      onFlowContinued: (flow) => this.#show(flow),
      ...(showsProgress
        ? {
          onSettled: (flow) => {
            // A reset connection is finished and is shown in full at once.
            if (flow.reset === undefined) this.#pendingText.push(settledLine(flow));
          },
          onSynRetransmission: (flow, by) =>
            this.#pendingText.push(synRetransmissionLine(flow, by)),
        }
        : {}),
    });
    this.#pipeline = new CapturePipeline(this.#tracker, io.filter);
  }

  /** Reads until the capture ends, is damaged, or `--count` is reached. Returns the damage. */
  async readAll(): Promise<CaptureError | undefined> {
    try {
      for await (const chunk of this.#io.chunks) {
        if (chunk !== undefined) this.#pipeline.feed(chunk);
        this.#reportFinished();
        await this.#flush();
        if (this.#hasReachedCount) return;
      }
      this.#finishReading();
    } catch (error) {
      if (error instanceof CaptureError) return error;
      throw error;
    }
  }

  async finish(): Promise<void> {
    this.#pipeline.finish();
    this.#tracker.finish();
    const { counters } = this.#pipeline;
    const isSummary = this.#options.summary;
    if (isSummary) this.#pendingText.push(this.#summary.render(counters));
    await this.#flush();
    for (const line of omissionLines(counters, { isSummary })) this.#io.log(line);
  }

  /** Shows finished connections of a live capture or pipe. A summary is shown at the end only. */
  #reportFinished(): void {
    if (this.#options.summary) return;
    if (this.#io.isLive) return this.#tracker.reportOverdue(Date.now());
    const now = performance.now();
    if (!this.#io.isStream || now - this.#reportedAt < REPORT_INTERVAL) return;
    this.#reportedAt = now;
    this.#tracker.reportFinished();
  }

  /** Whether there were packets, but none could be decoded. */
  get hasDecodedNothing(): boolean {
    const { segments, withoutTcp, undecodable } = this.#pipeline.counters;
    return segments === 0 && withoutTcp.size === 0 && undecodable.size > 0;
  }

  get svg(): string | undefined {
    if (this.#options.svg === undefined) return undefined;
    if (this.#finished > this.#drawn.length) {
      this.#io.log(`the image shows the first ${MAX_DRAWN} of ${this.#finished} connections`);
    }
    return renderLadders(this.#drawn);
  }

  get #hasReachedCount(): boolean {
    return this.#finished >= (this.#options.count ?? Infinity);
  }

  #finishReading(): void {
    const { reader } = this.#pipeline;
    if (this.#io.isLive && reader.packets === 0) return;
    reader.finish();
    if (reader.truncatedAt !== undefined && !this.#io.isLive) {
      this.#io.log(`the capture is truncated at byte ${reader.truncatedAt}, inside a packet`);
    }
    if (reader.packetsWithoutTime > 0) {
      this.#io.log(
        `${reader.packetsWithoutTime} packets have no timestamp; they are shown with that of the packet before`,
      );
    }
  }

  #addFlow(flow: Flow): void {
    if (this.#hasReachedCount) return;
    this.#finished += 1;
    if (this.#options.summary) this.#summary.add(flow);
    this.#show(flow);
  }

  /** Shows a connection, or its segments since it was last shown. */
  #show(flow: Flow): void {
    const { json, summary, svg, relative } = this.#options;
    const listener = this.#io.listenerState?.(flow);
    if (json) this.#pendingText.push(`${JSON.stringify(recordOf(flow, listener))}\n`);
    const { history } = flow;
    if (history === undefined) return;
    const firstEntry = this.#shownEntries.get(history);
    if (flow.isReported && firstEntry === undefined) return;
    const endsWithOmitted = history.entries.at(-1)?.kind === "omitted";
    this.#shownEntries.set(history, history.entries.length - (endsWithOmitted ? 1 : 0));
    const ladder = ladderOf(flow, { isRelative: relative, listener, firstEntry });
    if (svg !== undefined && this.#drawn.length < MAX_DRAWN) this.#drawn.push(ladder);
    if (!json && !summary) {
      this.#pendingText.push(`${renderLadder(ladder, { color: this.#io.color })}\n`);
    }
  }

  async #flush(): Promise<void> {
    if (this.#pendingText.length === 0) return;
    const text = this.#pendingText.join("");
    this.#pendingText = [];
    await this.#io.write(text);
  }
}

function settledLine(flow: Flow): string {
  return `${endpointsText(flow)}  ${diagnose(flow).text}\n`;
}

function synRetransmissionLine(flow: Flow, by: Role): string {
  const what = `${flow[by].hasSynAck ? "SYN+ACK" : "SYN"} ${flow[by].syns}`;
  return `${endpointsText(flow)}  ${what}, ${answerText(flow, by)}\n`;
}

function answerText(flow: Flow, by: Role): string {
  if (flow.establishedAt !== undefined) return "though acknowledged";
  const after = formatDuration(flow.lastAt - flow.startedAt);
  if (flow[by].hasSynAck) return `not acknowledged for ${after}`;
  if (flow.synAckAt !== undefined) return "though answered";
  return flow.strayAnswers > 0 ? "answered another SYN" : `no answer for ${after}`;
}

function endpointsText({ client, server }: Flow): string {
  return `${endpointText(client.address, client.port)} → ` +
    endpointText(server.address, server.port);
}
