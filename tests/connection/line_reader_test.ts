/** Lines are read in turns of the event loop, even if a line never ends. */
import { assert, assertEquals } from "@std/assert";
import { Connection } from "../../src/connection/connection.ts";
import { readLines } from "../../src/connection/line_reader.ts";
import type { ByteStream } from "../../src/transport/stream.ts";

const ADDRESS = { transport: "tcp", hostname: "127.0.0.1", port: 7 } as const;

Deno.test("a flood without newlines is read in turns", async () => {
  const READS = 400;
  let reads = 0;
  let turns = 0;
  const stream: ByteStream = {
    localAddr: ADDRESS,
    remoteAddr: ADDRESS,
    read: (into) => Promise.resolve(reads++ < READS ? into.fill(0x78).length : null),
    write: (bytes) => Promise.resolve(bytes.length),
    closeWrite: () => Promise.resolve(),
    close() {},
    setNoDelay() {},
    setKeepAlive() {},
  };
  using connection = new Connection(stream, { id: 1 });
  const lines: string[] = [];
  const count = () => void (reads <= READS && (turns++, setTimeout(count)));
  count();
  for await (const { text } of readLines(connection, { limit: 16, timeout: 3_600_000 })) {
    lines.push(text);
  }
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(lines, ["x".repeat(16)]);
  // Once the buffer has grown, each read returns 256 KiB, which uses up a turn.
  assert(turns > READS / 2, `${turns} turns in ${READS} reads`);
});
