/**
 * Logs the stderr of programs by lines, up to a rate.
 *
 * @module
 */
import { lines } from "../../connection/lines.ts";
import { formatCount } from "../../options/quantity.ts";

/** The longest logged line, in bytes. */
const LINE_LIMIT = 4 * 1024;

/** The most lines of an outlet's programs that are logged per second; others are counted. */
export const LINES_PER_SECOND = 100;

/** Limits the logged lines of all programs of one outlet. */
export class LineRate {
  #second = -1;
  #logged = 0;

  /** Whether one more line may be logged. */
  take(now: number = performance.now()): boolean {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) this.#logged = 0;
    this.#second = second;
    return ++this.#logged <= LINES_PER_SECOND;
  }
}

/** Logs the lines of one program, and the number of dropped lines before the next one or at the end. */
export async function logLines(
  chunks: AsyncIterable<Uint8Array>,
  { rate, log }: { rate: LineRate; log(line: string): void },
): Promise<void> {
  let dropped = 0;
  const reportDropped = () => {
    if (dropped > 0) log(`(${formatCount(dropped, "line")} dropped)`);
    dropped = 0;
  };
  for await (const { text, isTruncated } of lines(chunks, { limit: LINE_LIMIT })) {
    if (rate.take()) {
      reportDropped();
      log(isTruncated ? `${text}…` : text);
    } else {
      dropped++;
    }
  }
  reportDropped();
}
