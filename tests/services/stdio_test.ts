import { createHash } from "node:crypto";
import { assertEquals, assertMatch } from "@std/assert";
import { noise, readText, readUntil, send } from "../harness/bytes.ts";
import { runTestClient } from "../harness/client.ts";
import { eventually } from "../harness/eventually.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { ResettingClient } from "../harness/resetting_client.ts";
import { testWith } from "../harness/tools.ts";

const GIBIBYTE = 1024 ** 3;

/** A server with a stdio outlet on a free port. */
async function listening(spec: string): Promise<{ server: Program; port: string }> {
  const server = new Program(outlet("server", spec));
  const [, port] = await server.logs(/listening stdio on 127\.0\.0\.1:(\d+)/);
  return { server, port: port! };
}

/** The length and SHA-256 of a file. */
async function digestOf(path: string): Promise<[length: number, hash: string]> {
  const hash = createHash("sha256");
  let length = 0;
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  for (let n = await file.read(buffer); n !== null; n = await file.read(buffer)) {
    hash.update(buffer.subarray(0, n));
    length += n;
  }
  return [length, hash.digest("hex")];
}

for (const size of [0, 1, GIBIBYTE]) {
  testWith(
    ["sh"],
    `a file of ${size} bytes is transferred with shell redirections alone`,
    async () => {
      const folder = await Deno.makeTempDir();
      const [source, target] = [`${folder}/source`, `${folder}/target`];
      {
        using file = await Deno.open(source, { write: true, create: true });
        const block = noise(1 << 20);
        for (let left = size; left > 0; left -= block.length) {
          new DataView(block.buffer).setFloat64(0, left);
          await file.write(block.subarray(0, left));
        }
      }
      const shell = (args: string[], redirection: string) =>
        new Program(["sh", "-c", `exec "$@" ${redirection}`, "sh", ...args]);
      await using server = shell(outlet("server", "stdio://:0"), `</dev/null >${target}`);
      const [, port] = await server.logs(/listening stdio on 127\.0\.0\.1:(\d+)/);
      await using client = shell(outlet("client", "127.0.0.1", port!), `<${source}`);
      assertEquals((await client.outcome()).code, 0);
      assertEquals((await server.outcome()).code, 0);
      assertEquals(await digestOf(target), await digestOf(source));
      await Deno.remove(folder, { recursive: true });
    },
  );
}

Deno.test("one client is served: its data goes to stdout, stdin to it, and both end together", async () => {
  const { server, port } = await listening("stdio://:0");
  await using _ = server;
  await using client = new Program(outlet("client", "127.0.0.1", port));
  await client.type("to the server\n");
  await server.prints(/to the server/);
  // The server stops listening; a client that came just before that is reset.
  await eventually(async () => {
    const { error } = await runTestClient(["127.0.0.1", port]);
    assertMatch(error, /refused|reset/);
    return /refused/.test(error);
  });
  await server.type("to the client\n");
  await client.prints(/to the client/);
  await server.end();
  await client.end();
  assertEquals((await client.outcome()).code, 0);
  const { code, stdout } = await server.outcome();
  assertEquals([code, stdout], [0, "to the server\n"]);
});

testWith(["ncat"], "keep serves clients one after another", async () => {
  const { server, port } = await listening("stdio://:0?keep");
  await using _ = server;
  for (const word of ["one", "two"]) {
    await run(["ncat", "--send-only", "127.0.0.1", port], { stdin: `${word}\n` });
    await server.prints(new RegExp(word));
  }
  server.signal("SIGTERM");
  assertEquals((await server.outcome()).stdout, "one\ntwo\n");
});

Deno.test("the data of many clients is merged, and all of them receive stdin", async () => {
  const { server, port } = await listening("stdio://:0?clients=many");
  await using _ = server;
  await using one = new Program(outlet("client", "127.0.0.1", port));
  await using other = new Program(outlet("client", "127.0.0.1", port));
  await one.type("from one\n");
  await other.type("from the other\n");
  await server.prints(/from one/);
  await server.prints(/from the other/);
  await server.type("for all\n");
  await Promise.all([one, other].map((client) => client.prints(/for all/)));
  await server.end();
  await Promise.all([one.end(), other.end()]);
  assertEquals((await server.outcome()).code, 0);
});

Deno.test("stdio goes on after the end of stdin, and eof says what its client sees of that", async () => {
  for (const eof of ["half-close", "wait"]) {
    const { server, port } = await listening(`stdio://:0?eof=${eof}`);
    await using _ = server;
    using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    await server.type("greeting\n");
    await server.end();
    if (eof === "half-close") assertEquals(await readText(client), "greeting\n");
    else assertEquals(await readUntil(client, /\n/), "greeting\n");
    await send(client, "much later\n");
    await server.prints(/much later\n/);
    await client.closeWrite();
    assertEquals((await server.outcome()).code, 0);
  }
});

Deno.test("a stdio server that only sends stops after stdin, and discards what it gets", async () => {
  for (const option of ["send-only", "eof=close", "quit-delay=1ms"]) {
    const { server, port } = await listening(`stdio://:0?${option}`);
    await using _ = server;
    using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    await send(client, "from the client\n");
    if (option !== "send-only") await server.prints(/from the client\n/);
    await server.type("greeting\n");
    await server.end();
    assertEquals(await readText(client), "greeting\n");
    const { code, stdout } = await server.outcome();
    assertEquals([code, stdout], [0, option === "send-only" ? "" : "from the client\n"]);
  }
});

Deno.test("a stdio server that only receives stops after its client", async () => {
  const { server, port } = await listening("stdio://:0?recv-only");
  await using _ = server;
  const { received } = await runTestClient(["127.0.0.1", port], "data\n");
  assertEquals(received, "");
  const { code, stdout } = await server.outcome();
  assertEquals([code, stdout], [0, "data\n"]);
});

Deno.test("many clients of a stdio server that only sends get stdin and are closed at its end", async () => {
  const { server, port } = await listening("stdio://:0?clients=many&send-only");
  await using _ = server;
  const clients = await Promise.all(
    [1, 2].map(() => Deno.connect({ hostname: "127.0.0.1", port: Number(port) })),
  );
  await server.logs(/opened [^]*opened /);
  await send(clients[0]!, "discarded\n");
  await server.type("for all\n");
  await server.end();
  for (const client of clients) assertEquals(await readText(client), "for all\n");
  for (const client of clients) client.close();
  const { code, stdout } = await server.outcome();
  assertEquals([code, stdout], [0, ""]);
});

testWith(
  ["ncat"],
  "crlf converts what a stdio server sends, and not what it receives",
  async () => {
    const { server, port } = await listening("stdio://:0?crlf");
    await using _ = server;
    await using client = new Program(["ncat", "-C", "127.0.0.1", port]);
    const words = ["\na\nb\n", "---", "\r\nc\r\nd\r\n", "---", "e\n\nf\n", "---\r", "\n"];
    const expected = "\r\na\r\nb\r\n---\r\nc\r\nd\r\n---e\r\n\r\nf\r\n---\r\n";
    for (const word of words) await server.type(word);
    for (const word of words) await client.type(word);
    await server.end();
    await client.end();
    assertEquals((await client.outcome()).stdout, expected);
    assertEquals((await server.outcome()).stdout, expected);
  },
);

Deno.test("crlf converts the output of a program, but not its input", async () => {
  await using server = new Program(
    outlet("server", "exec://127.0.0.1:0?once", "-C", "--", "sh", "-c", "cat >&2; echo a; echo b"),
  );
  const [, port] = await server.logs(/listening exec on 127\.0\.0\.1:(\d+)/);
  await server.logs(/ready/);
  const { received } = await runTestClient(["127.0.0.1", port!], "one\n");
  assertEquals(received, "a\r\nb\r\n");
  assertMatch((await server.outcome()).stderr, /closed .* 4 B in, 6 B out/);
});

Deno.test("a failed connection shows in the exit code", async () => {
  const { server, port } = await listening("stdio://:0");
  await using _ = server;
  {
    using _rude = new ResettingClient(Number(port));
    await server.logs(/opened +stdio:\d+ #1/);
  }
  const { code, stderr } = await server.outcome();
  assertMatch(stderr, /closed +stdio:\d+ #1 .*: peer reset/);
  assertEquals(code, 1);
});

testWith(
  ["ncat"],
  "a stdio outlet that is opened at run time does not end the server with its client",
  async () => {
    const folder = await Deno.makeTempDir();
    const config = `${folder}/outlet.json`;
    const write = (...outlets: string[]) => Deno.writeTextFile(config, JSON.stringify({ outlets }));
    await write("echo://127.0.0.1:0");
    await using server = new Program(outlet("server", "--config", config));
    const [, echo] = await server.logs(/listening echo on 127\.0\.0\.1:(\d+)/);
    await server.logs(/ready/);
    await write("echo://127.0.0.1:0", "stdio://127.0.0.1:0");
    const [, stdio] = await server.logs(/listening stdio on 127\.0\.0\.1:(\d+)/);
    await run(["ncat", "--send-only", "127.0.0.1", stdio!], { stdin: "for stdout\n" });
    await server.prints(/for stdout/);
    await server.end();
    await server.logs(/closed +stdio/);
    const answer = await run(["ncat", "127.0.0.1", echo!], { stdin: "still here\n" });
    assertEquals(answer.stdout, "still here\n");
    server.signal("SIGTERM");
    assertEquals((await server.outcome()).code, 0);
    await Deno.remove(folder, { recursive: true });
  },
);
