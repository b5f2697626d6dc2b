/** The write timeout distinguishes slow clients from clients that read nothing. */
import { assert, assertEquals } from "@std/assert";
import { Program } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/**
 * Reads at a rate in bytes per second, with a small receive buffer, for a number of seconds, and
 * prints how it ended.
 */
const READER = `
import socket, ssl, sys, time
port, secure, rate, seconds = int(sys.argv[1]), sys.argv[2] == "tls", int(sys.argv[3]), float(sys.argv[4])
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
s.connect(("127.0.0.1", port))
if secure:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    s = context.wrap_socket(s)
print("connected", s.getsockname()[1], flush=True)
end, count = time.monotonic() + seconds, 0
while time.monotonic() < end:
    if rate == 0: time.sleep(0.1); continue
    chunk = s.recv(4096)
    if not chunk: break
    count += len(chunk)
    time.sleep(len(chunk) / rate)
print("read", count, flush=True)
sys.stdin.read()
`;

/** An upstream that sends without end, and reads nothing. */
class FloodingUpstream implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns: Deno.Conn[] = [];
  readonly port = this.#listener.addr.port;

  constructor() {
    this.#accept().catch(() => {});
  }

  async #accept(): Promise<void> {
    for (;;) {
      const conn = await this.#listener.accept();
      this.#conns.push(conn);
      this.#writeRepeatedly(conn).catch(() => {});
    }
  }

  async #writeRepeatedly(conn: Deno.Conn): Promise<void> {
    const chunk = new Uint8Array(256 * 1024);
    for (;;) await conn.write(chunk);
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
  }
}

for (const kind of ["plain", "tls"]) {
  const tls = kind === "tls" ? "&tls&tls-self-signed" : "";

  testWith(
    ["python3"],
    `a client that reads slowly is not closed by write-timeout: ${kind}`,
    async () => {
      using flood = new FloodingUpstream();
      await using server = await TestServer.open(
        `forward://:0?to=127.0.0.1:${flood.port}&write-timeout=5s${tls}`,
      );
      const args = ["-c", READER, `${server.port()}`, kind, "60000", "15"];
      await using reader = new Program(["python3", ...args]);
      const [, read] = await reader.prints(/read (\d+)/);
      assert(Number(read) > 100_000);
      assertEquals(server.events.filter(({ event }) => event === "closed"), []);
    },
  );

  testWith(
    ["python3"],
    `a client that reads nothing is closed by write-timeout: ${kind}`,
    async () => {
      using flood = new FloodingUpstream();
      await using server = await TestServer.open(
        `forward://:0?to=127.0.0.1:${flood.port}&write-timeout=5s${tls}`,
      );
      const args = ["-c", READER, `${server.port()}`, kind, "0"];
      await using _reader = new Program(["python3", ...args, "60"]);
      assertEquals((await server.event("closed")).reason, "write timeout");
    },
  );
}
