/** A room with members that never read. */
import { assertEquals } from "@std/assert";
import { ChatClient } from "../harness/chat_client.ts";
import { ResettingClient } from "../harness/resetting_client.ts";
import { TestServer } from "../harness/server.ts";

const LONG = 4_000;

/** A member that counts the long lines that it reads. */
class LineCounter implements Disposable {
  count = 0;
  readonly #conn: Deno.TcpConn;
  #wake = () => {};

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#read().catch(() => {});
  }

  /** Resolves once this many lines have arrived. */
  async reaches(count: number): Promise<void> {
    while (this.count < count) await new Promise<void>((resolve) => this.#wake = resolve);
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }

  async #read(): Promise<void> {
    const buffer = new Uint8Array(16 * 1024);
    let length = 0;
    for (let n = await this.#conn.read(buffer); n !== null; n = await this.#conn.read(buffer)) {
      const chunk = buffer.subarray(0, n);
      let start = 0;
      for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
        if (length + end - start > LONG) this.count++;
        length = 0;
        start = end + 1;
      }
      length += n - start;
      this.#wake();
    }
  }
}

Deno.test("of 1,000 members, the 10 that never read are disconnected, and the others receive every line", async () => {
  await using server = await TestServer.open("chat://:0?room=all");
  using stack = new DisposableStack();
  for (let i = 0; i < 10; i++) stack.use(new ResettingClient(server.port(), { narrow: true }));
  const readers = Array.from({ length: 989 }, async () => new LineCounter(await server.connect()));
  const counters = await Promise.all(readers);
  for (const counter of counters) stack.use(counter);
  const sender = stack.use(await ChatClient.join(server.port()));
  await sender.countsMembers(1_000);

  const reason = "error: slow consumer, 256 KiB queued";
  const cuts = () => server.events.filter((it) => it.event === "closed" && it.reason === reason);
  const line = "z".repeat(LONG);
  let sent = 0;
  while (cuts().length < 10) {
    await sender.sendLine(line);
    sent++;
    // Lines are sent at the pace of a reading member; the kernel buffers some for those that do not
    // read.
    await counters[0]!.reaches(sent);
  }
  await Promise.all(counters.map((counter) => counter.reaches(sent)));
  assertEquals(counters.filter(({ count }) => count !== sent), []);
  await sender.countsMembers(990);
});
