/** What other parts of a server do with a connection while its handler serves it. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { Connection } from "../../src/connection/connection.ts";
import { type ByteStream, wrap } from "../../src/transport/stream.ts";
import { tapStage } from "../../src/connection/tap.ts";
import { readAll, readUntil, send } from "../harness/bytes.ts";

Deno.test("a tap sees the bytes of both directions while it is attached, and none before or after", async () => {
  await using pair = await Pair.join();
  const seen: string[] = [];
  const tap = {
    received: (bytes: Uint8Array) => seen.push(`< ${text(bytes)}`),
    sent: (bytes: Uint8Array) => seen.push(`> ${text(bytes)}`),
  };
  await pair.echo("before");
  {
    using _ = pair.connection.tap(tap);
    await pair.echo("while");
  }
  await pair.echo("after");
  assertEquals(seen, ["< while", "> while"]);
});

Deno.test("bytes that are put back are read again, before those that were read ahead", async () => {
  await using pair = await Pair.join();
  const { connection, client } = pair;
  await send(client, "first");
  const first = (await connection.read())!.slice();
  const ahead = connection.readAhead();
  connection.unread(first);
  await send(client, "second");
  await ahead;
  assertEquals(text((await connection.read())!), "first");
  assertEquals(text((await connection.read())!), "second");
  assertEquals(connection.bytesIn, 11);
});

Deno.test("concurrent writes are not interleaved", async () => {
  await using pair = await Pair.join();
  const { connection, client } = pair;
  // More than the kernel takes at once, so each write takes several calls.
  const block = (letter: string) => letter.repeat(4 * 1024 * 1024);
  const encoder = new TextEncoder();
  const writes = [
    connection.write(encoder.encode(block("a"))),
    connection.write(encoder.encode(block("b"))),
    connection.write(encoder.encode(block("c"))),
    connection.write(encoder.encode(block("d"))),
  ];
  const ended = Promise.all(writes).then(() => connection.closeWrite());
  const received = text(await readAll(client));
  await ended;
  assert(received === ["a", "b", "c", "d"].map(block).join(""));
});

Deno.test("TCP_NODELAY is set once, before the second write, also through a tap", async () => {
  await using pair = await Pair.join();
  const calls: string[] = [];
  const { localAddr, remoteAddr } = pair.client;
  const unused = () => Promise.reject(new Error("nobody asked for this"));
  const socket: ByteStream = {
    localAddr,
    remoteAddr,
    read: unused,
    closeWrite: unused,
    close() {},
    write: (bytes) => Promise.resolve(calls.push("write") && bytes.length),
    setNoDelay: (on) => void calls.push(`no delay: ${on}`),
    setKeepAlive() {},
  };
  const connection = new Connection(tapStage(() => Promise.resolve())(socket), { id: 1 });
  for (let i = 0; i < 3; i++) await connection.write(new Uint8Array(1));
  assertEquals(calls, ["write", "no delay: true", "write", "write"]);
});

Deno.test("after a failed write no write is pending, so no write timeout follows", async () => {
  await using pair = await Pair.join();
  const broken = wrap(pair.client, {
    write: () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe")),
    close() {},
  });
  const connection = new Connection(broken, { id: 1 });
  await assertRejects(() => connection.write(new Uint8Array(3)), Deno.errors.BrokenPipe);
  assertEquals(connection.writing, false);
});

Deno.test("writes to a closed connection reject", async () => {
  await using pair = await Pair.join();
  pair.connection.close("server closed");
  const outcomes = await Promise.allSettled([
    pair.connection.write(new Uint8Array(1)),
    pair.connection.write(new Uint8Array(1)),
  ]);
  assertEquals(outcomes.map(({ status }) => status), ["rejected", "rejected"]);
});

/** A connection, and the client at the other end of it. */
class Pair implements AsyncDisposable {
  readonly connection: Connection;
  readonly client: Deno.TcpConn;

  private constructor(connection: Connection, client: Deno.TcpConn) {
    this.connection = connection;
    this.client = client;
  }

  static async join(): Promise<Pair> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const [socket, client] = await Promise.all([listener.accept(), Deno.connect({ port })]);
    return new Pair(new Connection(socket, { id: 1 }), client);
  }

  async echo(message: string): Promise<void> {
    await send(this.client, message);
    const chunk = await this.connection.read();
    await this.connection.write(chunk!);
    await readUntil(this.client, new RegExp(message));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.connection.close("server closed");
    this.client.close();
    return Promise.resolve();
  }
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
