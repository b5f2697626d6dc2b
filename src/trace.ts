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
import { leftOutLines } from "./trace/report/omissions.ts";
import { recordOf } from "./trace/report/record.ts";
import type { SegmentHistory } from "./trace/track/segment_history.ts";
import type { Role } from "./trace/track/state.ts";
import { Summary } from "./trace/report/summary.ts";
import { Tracker } from "./trace/track/tracker.ts";
import { diagnose, type ServerView } from "./trace/report/diagnosis.ts";

/** Where the bytes come from, and where the words go. */
export interface TraceEnds {
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
  view?(flow: Flow): ServerView | undefined;
  /** Takes text, all of it, before more is read. */
  show(text: string): Promise<void>;
  /** Takes a line about what happens. */
  tell(line: string): void;
}

/** How often what is over is shown of a stream, in milliseconds. */
const SHOW_INTERVAL = 1000;

/** An SVG image of more ladders than this helps nobody. */
const MOST_DRAWN = 200;

/**
 * Shows every handshake of a capture.
 *
 * @returns the ladders as an SVG image, where that was asked for
 * @throws {CaptureError} where the capture is damaged, after all that came before has been shown
 */
export async function trace(options: TraceOptions, ends: TraceEnds): Promise<string | undefined> {
  const session = new TraceSession(options, ends);
  const damage = await session.readAll();
  await session.finish();
  if (damage !== undefined) throw damage;
  if (session.hasUnderstoodNothing && !ends.isLive) {
    throw new CaptureError("nothing in it was understood");
  }
  return session.svg;
}

class TraceSession {
  readonly #options: TraceOptions;
  readonly #ends: TraceEnds;
  readonly #summary = new Summary();
  readonly #tracker: Tracker;
  readonly #pipeline: CapturePipeline;
  readonly #drawn: Ladder[] = [];
  readonly #shownLines = new WeakMap<SegmentHistory, number>();
  #waiting: string[] = [];
  #finished = 0;
  #shownAt = performance.now();

  constructor(options: TraceOptions, ends: TraceEnds) {
    this.#options = options;
    this.#ends = ends;
    const tellsProgress = ends.isLive && !options.json && !options.summary;
    this.#tracker = new Tracker({
      limit: options.flows,
      reusesFlows: true,
      keepSegments: options.svg !== undefined || (!options.json && !options.summary),
      onFinished: (flow) => this.#take(flow),
      onContinued: (flow) => this.#show(flow),
      ...(tellsProgress
        ? {
          onSettled: (flow) => {
            // What is over at once is shown whole at once.
            if (flow.reset === undefined) this.#waiting.push(settledLine(flow));
          },
          onRepeated: (flow, by) => this.#waiting.push(repeatedLine(flow, by)),
        }
        : {}),
    });
    this.#pipeline = new CapturePipeline(this.#tracker, ends.filter);
  }

  /** Reads until the capture ends, is damaged, or enough was seen. */
  async readAll(): Promise<CaptureError | undefined> {
    try {
      for await (const chunk of this.#ends.chunks) {
        if (chunk !== undefined) this.#pipeline.feed(chunk);
        this.#tellEarly();
        await this.#flush();
        if (this.#isEnough) return;
      }
      this.#endReading();
    } catch (error) {
      if (error instanceof CaptureError) return error;
      throw error;
    }
  }

  async finish(): Promise<void> {
    this.#pipeline.finish();
    this.#tracker.finish();
    const { facts } = this.#pipeline;
    const isSummary = this.#options.summary;
    if (isSummary) this.#waiting.push(this.#summary.render(facts));
    await this.#flush();
    for (const line of leftOutLines(facts, { isSummary })) this.#ends.tell(line);
  }

  /** A summary is shown at the end; all else as soon as it is over, where there may be no end. */
  #tellEarly(): void {
    if (this.#options.summary) return;
    if (this.#ends.isLive) return this.#tracker.expire(Date.now());
    const now = performance.now();
    if (!this.#ends.isStream || now - this.#shownAt < SHOW_INTERVAL) return;
    this.#shownAt = now;
    this.#tracker.tellFinished();
  }

  /** Whether there were packets, and none of them could be read to its end. */
  get hasUnderstoodNothing(): boolean {
    const { segments, withoutTcp, notUnderstood } = this.#pipeline.facts;
    return segments === 0 && withoutTcp.size === 0 && notUnderstood.size > 0;
  }

  get svg(): string | undefined {
    if (this.#options.svg === undefined) return undefined;
    const left = this.#finished - this.#drawn.length;
    if (left > 0) this.#ends.tell(`the image holds the first ${MOST_DRAWN}, not ${left} more`);
    return renderLadders(this.#drawn);
  }

  get #isEnough(): boolean {
    return this.#finished >= (this.#options.count ?? Infinity);
  }

  #endReading(): void {
    const { reader } = this.#pipeline;
    if (this.#ends.isLive && reader.packets === 0) return;
    reader.finish();
    if (reader.cutAt !== undefined && !this.#ends.isLive) {
      this.#ends.tell(`the capture is cut short at byte ${reader.cutAt}, inside a packet`);
    }
    if (reader.untimed > 0) {
      this.#ends.tell(
        `${reader.untimed} packets have no time in this capture; they are shown with that before`,
      );
    }
  }

  #take(flow: Flow): void {
    if (this.#isEnough) return;
    this.#finished += 1;
    if (this.#options.summary) this.#summary.add(flow);
    this.#show(flow);
  }

  /** Shows a connection, or what came since it was shown. */
  #show(flow: Flow): void {
    const { json, summary, svg, relative } = this.#options;
    const view = this.#ends.view?.(flow);
    if (json) this.#waiting.push(`${JSON.stringify(recordOf(flow, view))}\n`);
    const { history } = flow;
    if (history === undefined) return;
    const from = this.#shownLines.get(history);
    if (flow.isTold && from === undefined) return;
    const isGap = history.lines.at(-1)?.kind === "gap";
    this.#shownLines.set(history, history.lines.length - (isGap ? 1 : 0));
    const ladder = ladderOf(flow, { isRelative: relative, view, from: from ?? 0 });
    if (svg !== undefined && this.#drawn.length < MOST_DRAWN) this.#drawn.push(ladder);
    if (!json && !summary) {
      this.#waiting.push(`${renderLadder(ladder, { color: this.#ends.color })}\n`);
    }
  }

  async #flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const text = this.#waiting.join("");
    this.#waiting = [];
    await this.#ends.show(text);
  }
}

function settledLine(flow: Flow): string {
  return `${endsOf(flow)}  ${diagnose(flow).words}\n`;
}

function repeatedLine(flow: Flow, by: Role): string {
  const what = `${flow[by].hasSynAck ? "SYN+ACK" : "SYN"} ${flow[by].syns}`;
  return `${endsOf(flow)}  ${what}, ${progressWords(flow, by)}\n`;
}

function progressWords(flow: Flow, by: Role): string {
  if (flow.establishedAt !== undefined) return "though acknowledged";
  const after = formatDuration(flow.lastAt - flow.startedAt);
  if (flow[by].hasSynAck) return `not acknowledged for ${after}`;
  if (flow.answeredAt !== undefined) return "though answered";
  return flow.strayAnswers > 0 ? "answered as if it were another" : `no answer for ${after}`;
}

function endsOf({ client, server }: Flow): string {
  return `${endpointText(client.address, client.port)} → ` +
    endpointText(server.address, server.port);
}
