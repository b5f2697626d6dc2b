/** Splitting received data into lines: in one chunk, byte by byte, and in chunks of any size. */
import { lines } from "../../src/connection/lines.ts";

const LINE = new TextEncoder().encode("a line as people type it in a room\n");

/** This many lines, in chunks of this size. */
function chunked(count: number, size: number): Uint8Array[] {
  const whole = new Uint8Array(LINE.length * count);
  for (let i = 0; i < count; i++) whole.set(LINE, i * LINE.length);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
  return chunks;
}

for (const [count, size] of [[1000, 64 * 1024], [1000, LINE.length], [1000, 7], [30, 1]] as const) {
  const chunks = chunked(count, size);
  Deno.bench(`${count} lines in chunks of ${size} bytes`, { group: "lines" }, async () => {
    let received = 0;
    const stream = (async function* () {
      yield* chunks;
    })();
    for await (const _ of lines(stream, { limit: 4096 })) received++;
    if (received !== count) throw new Error(`${received} of ${count} lines`);
  });
}
