/** Hostile servers and proxies: the client's memory is bounded, and it ends as it should. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { memoryOf } from "../../harness/process.ts";
import { outlet, run } from "../../harness/program.ts";
import { KEY, Terminal } from "../../harness/terminal.ts";
import { testWith } from "../../harness/tools.ts";

const MEGABYTE = 1024 * 1024;

/** Memory that a client may use beyond what it has at the first byte. */
const TOLERANCE = 96 * MEGABYTE;

const LOCAL = { hostname: "127.0.0.1", port: 0 };

testWith(
  ["python3"],
  "a server sends 100 MB without a newline to a terminal; memory is bounded and Ctrl-C is heard",
  async () => {
    using listener = Deno.listen(LOCAL);
    await using terminal = new Terminal(outlet("client", "127.0.0.1", String(listener.addr.port)));
    using server = await listener.accept();
    const chunk = new TextEncoder().encode("no newline ".repeat(10_000));
    await server.write(chunk);
    await terminal.shows(/no newline/);
    const pid = await terminal.pid();
    const before = memoryOf(pid);
    let most = 0;
    for (let sent = 0; sent < 100 * MEGABYTE;) {
      sent += await server.write(chunk);
      most = Math.max(most, memoryOf(pid));
    }
    assert(most < before + TOLERANCE, `${before} bytes, then ${most}`);
    // It is still sent to while the key is typed.
    const sending = (async () => {
      while (await server.write(chunk) > 0);
    })().catch(() => {});
    await terminal.type(KEY.ctrlC);
    assertEquals(await terminal.code(), 130);
    await sending;
  },
);

/** What a proxy begins its answer with: terminal escapes, in ASCII and as a C1 control. */
const ESCAPES = "HTTP/1.1 403 \x1b[2J\u009b31m";

/** A proxy whose answers do not end; `most` is what one client has read of one. */
class EndlessProxy {
  readonly listener = Deno.listen(LOCAL);
  readonly #answered: Promise<void>[] = [];
  readonly #served = this.#serve();
  most = 0;

  async #serve(): Promise<void> {
    for await (const client of this.listener) this.#answered.push(this.#answer(client));
  }

  async #answer(client: Deno.TcpConn): Promise<void> {
    using _ = client;
    const more = new Uint8Array(64 * 1024).fill(0x78);
    try {
      let length = await client.write(new TextEncoder().encode(ESCAPES));
      while (length < 1024 * MEGABYTE) {
        length += await client.write(more);
        this.most = Math.max(this.most, length);
      }
    } catch {
      // The client has closed the connection.
    }
  }

  async close(): Promise<void> {
    this.listener.close();
    await this.#served;
    await Promise.all(this.#answered);
  }
}

for (const mode of [[], ["-z", "--json"], ["--bench", "--duration", "1s", "--json"]]) {
  const commandLine = ["outlet client", ...mode].join(" ");
  Deno.test(`a proxy answers "${commandLine}" without end; little is read, and no escape is printed`, async () => {
    const proxy = new EndlessProxy();
    const address = `http://127.0.0.1:${proxy.listener.addr.port}`;
    const command = outlet("client", ...mode, "--proxy", address, "example.test", "80");
    const { code, stdout, stderr } = await run(command);
    await proxy.close();
    assertEquals(code, 1);
    // The kernel's buffers take some megabytes.
    assert(proxy.most < 64 * MEGABYTE, `${proxy.most} bytes were read of one answer`);
    assertEquals(/\p{Cc}/u.test((stdout + stderr).replaceAll("\n", "")), false);
    assertMatch(stderr, /^outlet: .*example\.test:80.*\n$/m);
  });
}
