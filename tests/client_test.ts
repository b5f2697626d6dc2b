import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { parseClientArgs } from "../src/cli/client_args.ts";
import { runClient } from "../src/client.ts";
import { bytesOf, noise, readAll, readText, send, sha256 } from "./harness/bytes.ts";
import { freePort } from "./harness/ports.ts";
import { outlet, Program, run } from "./harness/program.ts";
import { TestServer } from "./harness/server.ts";
import { testWith } from "./harness/tools.ts";

/** What a client wrote to stdout and to stderr. */
interface ClientOutput {
  readonly shown: Uint8Array;
  readonly logged: string;
}

/**
 * A client of a port of 127.0.0.1, started with command-line arguments and given these chunks as
 * stdin.
 */
async function runWithInput(
  args: string[],
  input: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<ClientOutput> {
  const shown: Uint8Array[] = [];
  const logged: string[] = [];
  await runClient(parseClientArgs(["127.0.0.1", ...args]), {
    input: input as AsyncIterable<Uint8Array>,
    show: (bytes) => {
      shown.push(bytes.slice());
      return Promise.resolve();
    },
    log: (line) => logged.push(line),
    print: (text) => Promise.resolve(void logged.push(text)),
    report: (line) => logged.push(line),
  });
  const all = await new Blob(shown as BlobPart[]).arrayBuffer();
  return { shown: new Uint8Array(all), logged: logged.join("\n") };
}

/** A listener of the test itself, which serves one client by hand. */
async function oneClient(
  serve: (client: Deno.TcpConn) => Promise<void>,
): Promise<{ port: string; served: Promise<void> } & Disposable> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const served = listener.accept().then(async (client) => {
    using connection = client;
    await serve(connection);
  });
  await Promise.resolve();
  return {
    port: String(listener.addr.port),
    served,
    [Symbol.dispose]: () => listener.close(),
  };
}

/** Input that never ends and has no data. */
async function* silence(): AsyncGenerator<Uint8Array> {
  await new Promise(() => {});
  yield new Uint8Array();
}

Deno.test("sent bytes are echoed unchanged, and the end of input ends the session", async () => {
  await using server = await TestServer.open("echo://:0");
  const bytes = noise(5_000_000);
  const chunks = Array.from(
    { length: 50 },
    (_, i) => bytes.subarray(i * 100_000, (i + 1) * 100_000),
  );
  const { shown } = await runWithInput([`${server.port()}`], chunks);
  assertEquals(await sha256(shown), await sha256(bytes));
});

Deno.test("an answer after the end of input is shown completely", async () => {
  using peer = await oneClient(async (client) => {
    assertEquals(await readText(client), "question");
    await send(client, "answer");
  });
  const { shown } = await runWithInput([peer.port], [bytesOf("question")]);
  assertEquals(new TextDecoder().decode(shown), "answer");
  await peer.served;
});

Deno.test("a peer that closes its half first still receives all of the input", async () => {
  const bytes = noise(3_000_000);
  using peer = await oneClient(async (client) => {
    await client.closeWrite();
    assertEquals(await sha256(await readAll(client)), await sha256(bytes));
  });
  await runWithInput([peer.port], [bytes]);
  await peer.served;
});

Deno.test("a peer that closes while nothing is typed ends the client", async () => {
  await using server = await TestServer.open("daytime://:0");
  const { shown } = await runWithInput([`${server.port()}`], silence());
  assertMatch(new TextDecoder().decode(shown), /GMT\r\n$/);
});

Deno.test("--eof close closes both halves, even if the peer continues", async () => {
  using peer = await oneClient(async (client) => {
    assertEquals(await readText(client), "bye");
  });
  await runWithInput([peer.port, "--eof", "close"], [bytesOf("bye")]);
  await peer.served;
});

Deno.test("--eof wait keeps our half open until the peer closes", async () => {
  using peer = await oneClient(async (client) => {
    const buffer = new Uint8Array(10);
    assertEquals(await client.read(buffer), 2);
    await send(client, "done");
    await client.closeWrite();
    assertEquals(await client.read(buffer), null);
  });
  const { shown } = await runWithInput([peer.port, "--eof", "wait"], [bytesOf("hi")]);
  assertEquals(new TextDecoder().decode(shown), "done");
  await peer.served;
});

Deno.test("--crlf sends CRLF where a line ends in LF alone", async () => {
  using peer = await oneClient(async (client) => {
    assertEquals(await readText(client), "a\r\nb\r\n");
  });
  await runWithInput([peer.port, "-C"], [bytesOf("a\nb\r\n")]);
  await peer.served;
});

Deno.test("--send-only sends all input and shows nothing", async () => {
  await using server = await TestServer.open("echo://:0");
  const { shown } = await runWithInput([`${server.port()}`, "--send-only"], [noise(1_000_000)]);
  assertEquals(shown.length, 0);
  assertEquals((await server.event("closed")).bytesIn, 1_000_000);
});

Deno.test("--recv-only never reads the input", async () => {
  await using server = await TestServer.open("qotd://:0");
  const { shown } = await runWithInput([`${server.port()}`, "--recv-only"], {
    [Symbol.asyncIterator]() {
      throw new Error("the input was read");
    },
  });
  assert(shown.length > 0);
});

Deno.test("--idle-timeout ends a session without data in either direction", async () => {
  await using server = await TestServer.open("echo://:0");
  await assertRejects(
    () => runWithInput([`${server.port()}`, "-i", "100ms"], silence()),
    Error,
    "nothing sent or received for 100 ms",
  );
});

Deno.test("-v logs the attempt, the first byte, the bytes in each direction, and who closed", async () => {
  await using server = await TestServer.open("echo://:0");
  const { logged } = await runWithInput([`${server.port()}`, "-v"], [bytesOf("hello")]);
  assertMatch(logged, /^127\.0\.0\.1:\d+: trying$/m);
  assertMatch(logged, /^127\.0\.0\.1:\d+: connected in [\d.]+ (µs|ms)/m);
  assertMatch(logged, /^first byte after /m);
  assertMatch(logged, /^5 B sent, 5 B received; closed by the peer after /m);
});

testWith(["ncat"], "data flows both ways between the client and a listening ncat", async () => {
  const port = String(freePort());
  await using ncat = new Program(["ncat", "-l", "-v", "127.0.0.1", port]);
  await ncat.logs(/Listening on 127\.0\.0\.1/);
  const talking = runWithInput([port, "--eof", "wait"], [bytesOf("to ncat\n")]);
  await ncat.prints(/to ncat/);
  await ncat.type("from ncat\n");
  await ncat.end();
  const { shown } = await talking;
  assertEquals(new TextDecoder().decode(shown), "from ncat\n");
});

testWith(["socat"], "a listening socat receives a file, and ends with the client", async () => {
  await using socat = new Program(["socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1", "STDOUT"]);
  const [, port] = await socat.logs(/listening on .*:(\d+)/);
  const bytes = noise(2_000_000);
  await runWithInput([port!], [bytes]);
  assertEquals(await sha256((await socat.outcome()).bytes), await sha256(bytes));
});

testWith(
  ["bash"],
  "a closed stdout ends the client without an error, and is logged",
  async () => {
    await using server = await TestServer.open("chargen://:0");
    const client = outlet("client", "127.0.0.1", String(server.port()));
    for (const flag of ["", "-v"]) {
      const script = `set -o pipefail; "$@" ${flag} | head -n 1`;
      const { code, stdout, stderr } = await run(["bash", "-c", script, "bash", ...client]);
      assertEquals([code, stdout.length], [0, 74]);
      if (flag === "") assertEquals(stderr, "");
      else assertMatch(stderr, / received; the reader of stdout has closed it after [^;]*\n$/);
    }
  },
);

Deno.test("--keep-sending closes stdout at the peer's FIN, and sends on until the end of stdin", async () => {
  const received = Promise.withResolvers<string>();
  using listener = await oneClient(async (client) => {
    await send(client, "all I have to say\n");
    await client.closeWrite();
    received.resolve(await readText(client));
  });
  const { port, served } = listener;
  await using client = new Program(outlet("client", "127.0.0.1", port, "--keep-sending"));
  assertEquals(await client.printed(), "all I have to say\n");
  await client.type("much ");
  await client.type("later");
  await client.end();
  assertEquals(await received.promise, "much later");
  assertEquals((await client.outcome()).code, 0);
  await served;
});
