/**
 * The trace: from the bytes of a capture to handshakes that people and programs can read.
 *
 * @module
 */
import type { TraceOptions } from "./config/trace_config.ts";
import { endpointText } from "./trace/decode/ip_address.ts";
import { CaptureError } from "./trace/decode/capture_reader.ts";
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
import { diagnose, type ServerView } from "./trace/report/diagnosis.ts";

/** Where the bytes come from, and where the words go. */
export interface TraceIo {
  /** The capture; `undefined` stands for a moment in which nothing came. */
  readonly chunks: AsyncIterable<Uint8Array | undefined>;
  /** Which connections are followed. */
  readonly filter: Filter;
  /** Whether the capture goes on while we look, so that time passes without packets. */
  readonly isLive: boolean;
  /** Whether it may go on, as a pipe does, so that what is over is shown before its end. */
  readonly isStream?: boolean;
  /** Whether the output takes colour. */
  readonly color: boolean;
  /** What the kernel says of a flow whose server is this machine. */
  listenerState?(flow: Flow): ServerView | undefined;
  /** Takes text, all of it, before more is read. */
  write(text: string): Promise<void>;
  /** Takes a line about what happens. */
  log(line: string): void;
}

/** How often what is over is shown of a stream, in milliseconds. */
const REPORT_INTERVAL = 1000;

/** An SVG image of more ladders than this helps nobody. */
const MAX_DRAWN = 200;

/**
 * Shows every handshake of a capture.
 *
 * @returns the ladders as an SVG image, where that was asked for
 * @throws {CaptureError} where the capture is damaged, after all that came before has been shown
 */
export async function trace(options: TraceOptions, ends: TraceIo): Promise<string | undefined> {
  const session = new TraceSession(options, ends);
  const damage = await session.readAll();
  await session.finish();
  if (damage !== undefined) throw damage;
  if (session.hasDecodedNothing && !ends.isLive) {
    throw new CaptureError("nothing in it was understood");
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

  constructor(options: TraceOptions, ends: TraceIo) {
    this.#options = options;
    this.#io = ends;
    const tellsProgress = ends.isLive && !options.json && !options.summary;
    this.#tracker = new Tracker({
      limit: options.flows,
      reusesFlows: true,
      keepSegments: options.svg !== undefined || (!options.json && !options.summary),
      onFlow: (flow) => this.#addFlow(flow),
      onFlowContinued: (flow) => this.#show(flow),
      ...(tellsProgress
        ? {
          onSettled: (flow) => {
            // What is over at once is shown whole at once.
            if (flow.reset === undefined) this.#pendingText.push(settledLine(flow));
          },
          onSynRetransmission: (flow, by) =>
            this.#pendingText.push(synRetransmissionLine(flow, by)),
        }
        : {}),
    });
    this.#pipeline = new CapturePipeline(this.#tracker, ends.filter);
  }

  /** Reads until the capture ends, is damaged, or enough was seen. */
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

  /** A summary is shown at the end; all else as soon as it is over, where there may be no end. */
  #reportFinished(): void {
    if (this.#options.summary) return;
    if (this.#io.isLive) return this.#tracker.reportOverdue(Date.now());
    const now = performance.now();
    if (!this.#io.isStream || now - this.#reportedAt < REPORT_INTERVAL) return;
    this.#reportedAt = now;
    this.#tracker.reportFinished();
  }

  /** Whether there were packets, and none of them could be read to its end. */
  get hasDecodedNothing(): boolean {
    const { segments, withoutTcp, undecodable } = this.#pipeline.counters;
    return segments === 0 && withoutTcp.size === 0 && undecodable.size > 0;
  }

  get svg(): string | undefined {
    if (this.#options.svg === undefined) return undefined;
    const left = this.#finished - this.#drawn.length;
    if (left > 0) this.#io.log(`the image holds the first ${MAX_DRAWN}, not ${left} more`);
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
      this.#io.log(`the capture is cut short at byte ${reader.truncatedAt}, inside a packet`);
    }
    if (reader.packetsWithoutTime > 0) {
      this.#io.log(
        `${reader.packetsWithoutTime} packets have no time in this capture; they are shown with that before`,
      );
    }
  }

  #addFlow(flow: Flow): void {
    if (this.#hasReachedCount) return;
    this.#finished += 1;
    if (this.#options.summary) this.#summary.add(flow);
    this.#show(flow);
  }

  /** Shows a connection, or what came since it was shown. */
  #show(flow: Flow): void {
    const { json, summary, svg, relative } = this.#options;
    const view = this.#io.listenerState?.(flow);
    if (json) this.#pendingText.push(`${JSON.stringify(recordOf(flow, view))}\n`);
    const { history } = flow;
    if (history === undefined) return;
    const from = this.#shownEntries.get(history);
    if (flow.isReported && from === undefined) return;
    const isGap = history.entries.at(-1)?.kind === "omitted";
    this.#shownEntries.set(history, history.entries.length - (isGap ? 1 : 0));
    const ladder = ladderOf(flow, { isRelative: relative, listener: view, firstEntry: from ?? 0 });
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
  return `${endpointsText(flow)}  ${diagnose(flow).words}\n`;
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
  return flow.strayAnswers > 0 ? "answered as if it were another" : `no answer for ${after}`;
}

function endpointsText({ client, server }: Flow): string {
  return `${endpointText(client.address, client.port)} → ` +
    endpointText(server.address, server.port);
}
