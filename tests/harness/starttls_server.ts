/**
 * A server of a test's own that speaks a protocol to its go-ahead, then TLS; then it echoes.
 *
 * @module
 */
import { contextOf } from "../../src/transport/stage.ts";
import { tlsStage } from "../../src/transport/tls/accept.ts";
import type { ByteStream } from "../../src/transport/stream.ts";
import { bytesOf, send } from "./bytes.ts";
import type { Identity } from "./certificates.ts";

/** What the server says first, and its answer to each request, in order. */
export interface Dialogue {
  readonly greeting?: string | Uint8Array;
  readonly answers?: readonly (readonly [request: RegExp, answer: string | Uint8Array])[];
  /** Whether it closes the connection instead of beginning TLS. */
  readonly closes?: boolean;
  /** Sent in pieces of this size; the whole at once by default. */
  readonly pieces?: number;
}

/** A running server. */
export interface StartTlsServer extends AsyncDisposable {
  readonly port: number;
  /** What clients have sent before TLS. */
  readonly received: string[];
}

/** Serves one client after the other. */
export async function startTlsServer(
  { cert, key }: Identity,
  dialogue: Dialogue,
): Promise<StartTlsServer> {
  const pair = {
    cert: await Deno.readTextFile(cert),
    key: await Deno.readTextFile(key),
  };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received: string[] = [];
  const stage = tlsStage({ contents: () => ({ pair }), alpn: [] });
  const serve = async (conn: Deno.TcpConn) => {
    await speak(conn, { ...dialogue, received });
    if (dialogue.closes) return;
    const signal = new AbortController().signal;
    const stream = await stage(conn, contextOf(conn, signal));
    await echo(stream);
    stream.close();
  };
  const serving = (async () => {
    for await (const conn of listener) {
      await serve(conn).catch(() => {});
      try {
        conn.close();
      } catch {
        // Closed with the TLS stream.
      }
    }
  })();
  return {
    port: listener.addr.port,
    received,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

async function speak(
  conn: Deno.TcpConn,
  { greeting = "", answers = [], pieces = Infinity, received }: Dialogue & { received: string[] },
): Promise<void> {
  const say = async (words: string | Uint8Array) => {
    const bytes = typeof words === "string" ? bytesOf(words) : words;
    for (let at = 0; at < bytes.length; at += pieces) {
      await send(conn, bytes.subarray(at, Math.min(at + pieces, bytes.length)));
    }
  };
  await say(greeting);
  for (const [request, answer] of answers) {
    received.push(await readRequest(conn, request));
    await say(answer);
  }
}

/** Reads text, one character a byte, until it matches. */
async function readRequest(conn: Deno.TcpConn, pattern: RegExp): Promise<string> {
  const buffer = new Uint8Array(1);
  let text = "";
  while (!pattern.test(text)) {
    if (await conn.read(buffer) === null) throw new Error(`ended within ${JSON.stringify(text)}`);
    text += String.fromCharCode(buffer[0]!);
  }
  return text;
}

async function echo(stream: ByteStream): Promise<void> {
  const buffer = new Uint8Array(4096);
  for (let n = await stream.read(buffer); n !== null; n = await stream.read(buffer)) {
    await send(stream, buffer.slice(0, n));
  }
  await stream.closeWrite();
}
