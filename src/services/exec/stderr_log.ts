/**
 * What programs complain of, told line by line, as far as anybody could read it.
 *
 * @module
 */
import { lines } from "../../connection/lines.ts";

/** The longest line that is told, in bytes. */
const LINE_LIMIT = 4 * 1024;

/** Lines of all programs of one outlet that are told in a second; more are counted. */
export const LINES_A_SECOND = 100;

/** What may still be told in this second, for all programs of one outlet together. */
export class LineRate {
  #second = -1;
  #told = 0;

  /** Whether one more line may be told. */
  take(now: number = performance.now()): boolean {
    const second = Math.floor(now / 1_000);
    if (second !== this.#second) this.#told = 0;
    this.#second = second;
    return ++this.#told <= LINES_A_SECOND;
  }
}

/** Tells the lines of one program, and how many were left out before the next that is told, or at the end. */
export async function tellLines(
  chunks: AsyncIterable<Uint8Array>,
  { rate, tell }: { rate: LineRate; tell(line: string): void },
): Promise<void> {
  let untold = 0;
  const catchUp = () => {
    if (untold > 0) tell(`(${untold === 1 ? "1 line is" : `${untold} lines are`} not told here)`);
    untold = 0;
  };
  for await (const { text, cut } of lines(chunks, { limit: LINE_LIMIT })) {
    if (rate.take()) {
      catchUp();
      tell(cut ? `${text}…` : text);
    } else {
      untold++;
    }
  }
  catchUp();
}
