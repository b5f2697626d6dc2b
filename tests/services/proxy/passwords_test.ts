/** Passwords of a proxy's clients. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { encodeBase64 } from "@std/encoding/base64";
import { Passwords } from "../../../src/services/proxy/passwords/passwords.ts";
import { Refusal } from "../../../src/services/proxy/refusal.ts";
import { readFull } from "../../../src/transport/proxy/read_full.ts";
import { bytesOf, readAll, readText, send } from "../../harness/bytes.ts";
import { TestServer } from "../../harness/server.ts";
import { TemporaryDirectory } from "../../harness/temporary_directory.ts";

/** Of the password `s3cret`, by htpasswd -nbB -C 4. */
const BCRYPT = "$2y$04$MNXHCYEewzA88fD4aJQW5.RbkGIhcR0/jRalPW5ERnIsUPmGO7YGq";

/** Of the password `s3cret`. */
const SCRYPT =
  "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$ZO/gT8OGTuuyHxcBV+7DkfE2nXK0EIuQrBe9nC+TunU";

/** A folder with a password file. */
async function users(...lines: string[]): Promise<AsyncDisposable & { readonly file: string }> {
  const folder = await TemporaryDirectory.make();
  const file = `${folder.path}/users`;
  await Deno.writeTextFile(file, lines.join("\n"));
  return { file, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

async function log(client: Deno.TcpConn, user: string, password: string): Promise<number[]> {
  const [name, secret] = [bytesOf(user), bytesOf(password)];
  await send(client, Uint8Array.of(5, 2, 0, 2));
  assertEquals([...await readFull(client, 2)], [5, 2]);
  await send(client, Uint8Array.of(1, name.length, ...name, secret.length, ...secret));
  return [...await readFull(client, 2)];
}

Deno.test("SOCKS 5 accepts the right password of a bcrypt or scrypt line, and no other", async () => {
  await using folder = await users(`joe:${BCRYPT}`, "# a comment", `ann:${SCRYPT}`);
  await using server = await TestServer.open(`proxy://:0?auth=${folder.file}`);
  for (
    const [user, password, status] of [
      ["joe", "s3cret", 0],
      ["ann", "s3cret", 0],
      ["joe", "s3cret", 0],
      ["joe", "wrong", 1],
      ["ann", "", 1],
      ["nobody", "s3cret", 1],
      ["", "s3cret", 1],
    ] as const
  ) {
    const client = await server.connect();
    assertEquals(await log(client, user, password), [1, status], `${user}:${password}`);
    if (status === 1) assertEquals((await readAll(client)).length, 0);
    client.close();
    if (status === 0) continue;
    const reason = `refused: wrong user or password (user ${JSON.stringify(user)})`;
    await server.event("closed", (event) => event.reason === reason);
  }
});

Deno.test("a client that offers no password gets no method, and SOCKS 4 is refused", async () => {
  await using folder = await users(`joe:${BCRYPT}`);
  await using server = await TestServer.open(`proxy://:0?auth=${folder.file}`);
  using none = await server.connect();
  await send(none, Uint8Array.of(5, 1, 0));
  assertEquals([...await readAll(none)], [5, 0xff]);
  using old = await server.connect();
  await send(old, Uint8Array.of(4, 1, 0, 80, 127, 0, 0, 1, ...bytesOf("joe\0")));
  assertEquals([...await readAll(old)].slice(0, 2), [0, 91]);
});

Deno.test("HTTP asks for a password with 407, and notes the user whose password is right", async () => {
  await using folder = await users(`joe:${BCRYPT}`);
  await using server = await TestServer.open(`proxy://:0?auth=${folder.file}`, "daytime://:0");
  const connect = async (login: string | undefined) => {
    using client = await server.connect();
    const field = login === undefined
      ? ""
      : `Proxy-Authorization: basic ${encodeBase64(bytesOf(login))}\r\n`;
    await send(client, `CONNECT 127.0.0.1:${server.port(1)} HTTP/1.1\r\n${field}\r\n`);
    return await readText(client);
  };
  const challenge = /^HTTP\/1\.1 407 [^]*\r\nProxy-Authenticate: Basic realm="outlet"/;
  for (const login of [undefined, "joe:wrong", "joe", "x:s3cret"]) {
    assertMatch(await connect(login), challenge);
  }
  assertMatch(await connect("joe:s3cret"), /^HTTP\/1\.1 200 [^]*GMT/);
  const { notes } = await server.event("closed", ({ notes }) => notes?.user !== undefined);
  assertEquals(notes?.user, "joe");
});

Deno.test("the file is read again when it changes; while it cannot be used, nobody is let in", async () => {
  await using folder = await users(`joe:${BCRYPT}`);
  const failures: string[] = [];
  const passwords = new Passwords({ path: folder.file, failed: (why) => failures.push(why) });
  await passwords.check("joe", "s3cret");
  await Deno.writeTextFile(folder.file, `ann:${SCRYPT}\n`);
  await assertRejects(() => passwords.check("joe", "s3cret"), Refusal, "wrong user");
  await passwords.check("ann", "s3cret");
  await Deno.remove(folder.file);
  for (let tries = 0; tries < 3; tries++) {
    await assertRejects(() => passwords.check("ann", "s3cret"), Refusal, "at the moment");
  }
  assertEquals(failures, [
    `auth ${folder.file}: no such file or directory; no password is accepted`,
  ]);
});

Deno.test("a flood of passwords is refused beyond a number that wait, and the event loop goes on", async () => {
  await using folder = await users(`joe:${BCRYPT}`);
  const passwords = new Passwords({ path: folder.file, failed: () => {} });
  await passwords.check("joe", "s3cret");
  const flood = Array.from(
    { length: 200 },
    (_, at) =>
      passwords.check("joe", `wrong ${at}`).then(() => "right", ({ kind }: Refusal) => kind),
  );
  let isOver = false;
  const outcomes = Promise.all(flood).finally(() => isOver = true);
  // A password that was right a moment ago does not wait behind them.
  await passwords.check("joe", "s3cret");
  assertEquals(isOver, false);
  const kinds = Map.groupBy(await outcomes, (kind) => kind);
  assertEquals([...kinds.keys()].toSorted(), ["busy", "password needed"]);
  assertEquals(kinds.get("password needed")!.length >= 64, true);
});
