/**
 * The trace: from the bytes of a capture to handshakes that people and programs can read.
 *
 * @module
 */
import type { TraceOptions } from "./config/trace_config.ts";
import { endpointText } from "./trace/decode/ip_words.ts";
import { CaptureError } from "./trace/decode/capture_reader.ts";
import { formatElapsed } from "./trace/report/elapsed.ts";
import type { Flow } from "./trace/track/flow.ts";
import { CapturePipeline, type Filter } from "./trace/live/capture_pipeline.ts";
import { type Ladder, ladderOf } from "./trace/report/ladder.ts";
import { renderLadders } from "./trace/report/ladder_svg.ts";
import { renderLadder } from "./trace/report/ladder_text.ts";
import { recordOf } from "./trace/report/record.ts";
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
  /** Whether the output takes colour. */
  readonly color: boolean;
  /** What the kernel says of a flow whose server is this machine. */
  view?(flow: Flow): ServerView | undefined;
  /** Takes text, all of it, before more is read. */
  show(text: string): Promise<void>;
  /** Takes a line about what happens. */
  tell(line: string): void;
}

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
  return session.svg;
}

class TraceSession {
  readonly #options: TraceOptions;
  readonly #ends: TraceEnds;
  readonly #summary = new Summary();
  readonly #tracker: Tracker;
  readonly #follower: CapturePipeline;
  readonly #drawn: Ladder[] = [];
  #waiting: string[] = [];
  #finished = 0;

  constructor(options: TraceOptions, ends: TraceEnds) {
    this.#options = options;
    this.#ends = ends;
    const tellsProgress = ends.isLive && !options.json && !options.summary;
    this.#tracker = new Tracker({
      limit: options.flows,
      reusesFlows: true,
      keepSegments: options.svg !== undefined || (!options.json && !options.summary),
      onFinished: (flow) => this.#take(flow),
      ...(tellsProgress
        ? {
          onSettled: (flow) => {
            // What is over at once is shown whole at once.
            if (flow.resetBy === undefined) this.#waiting.push(settledLine(flow));
          },
          onRepeated: (flow, by) => this.#waiting.push(repeatedLine(flow, by)),
        }
        : {}),
    });
    this.#follower = new CapturePipeline(this.#tracker, ends.filter);
  }

  /** Reads until the capture ends, is damaged, or enough was seen. */
  async readAll(): Promise<CaptureError | undefined> {
    try {
      for await (const chunk of this.#ends.chunks) {
        if (chunk !== undefined) this.#follower.feed(chunk);
        if (this.#ends.isLive) this.#tracker.expire(Date.now());
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
    this.#tracker.finish();
    if (this.#options.summary) this.#waiting.push(this.#summary.render(this.#follower.facts));
    await this.#flush();
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
    const { reader } = this.#follower;
    if (this.#ends.isLive && reader.packets === 0) return;
    reader.finish();
    if (reader.cutAt !== undefined && !this.#ends.isLive) {
      this.#ends.tell(`the capture is cut short at byte ${reader.cutAt}, inside a packet`);
    }
  }

  #take(flow: Flow): void {
    if (this.#isEnough) return;
    this.#finished += 1;
    const { json, summary, svg, relative } = this.#options;
    if (summary) this.#summary.add(flow);
    const view = this.#ends.view?.(flow);
    if (json) this.#waiting.push(`${JSON.stringify(recordOf(flow, view))}\n`);
    if (flow.history === undefined) return;
    const ladder = ladderOf(flow, { isRelative: relative, view });
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
  const after = formatElapsed(flow.lastAt - flow.startedAt);
  const what = `${by === "client" ? "SYN" : "SYN+ACK"} ${flow[by].syns}`;
  const since = flow.establishedAt === undefined ? `no answer for ${after}` : "though acknowledged";
  return `${endsOf(flow)}  ${what}, ${since}\n`;
}

function endsOf({ client, server }: Flow): string {
  return `${endpointText(client.address, client.port)} → ` +
    endpointText(server.address, server.port);
}
