/**
 * WebSocket frames by hand, written from RFC 6455 and not from outlet's code, and a client that can send wrong ones.
 *
 * @module
 */
import { bytesOf, send } from "./bytes.ts";

/** A frame. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Uint8Array;
  /** Whether it ends its message. */
  readonly fin: boolean;
  readonly isMasked: boolean;
}

/** How a frame differs from an ordinary one of a client. */
export interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  /** Absent for none. */
  readonly key?: readonly number[] | undefined;
  /** How many bytes the length is written in: 0, 2 or 8 beside the first. */
  readonly lengthBytes?: 0 | 2 | 8;
}

const KEY = [0x37, 0xfa, 0x21, 0x3d];

/** The bytes of a frame, masked unless `key` is undefined. */
export function frame(
  opcode: number,
  data: Uint8Array | string = "",
  options: FrameOptions = {},
): Uint8Array<ArrayBuffer> {
  const { fin = true, rsv = 0 } = options;
  const key = "key" in options ? options.key : KEY;
  const payload = typeof data === "string" ? bytesOf(data) : data;
  const shortest = payload.length < 126 ? 0 : payload.length < 65536 ? 2 : 8;
  const { lengthBytes = shortest } = options;
  const length = Array.from(
    { length: lengthBytes },
    (_, at) => Math.floor(payload.length / 256 ** (lengthBytes - 1 - at)) % 256,
  );
  const second = lengthBytes === 0 ? payload.length : lengthBytes === 2 ? 126 : 127;
  return new Uint8Array([
    (fin ? 0x80 : 0) | rsv << 4 | opcode,
    (key ? 0x80 : 0) | second,
    ...length,
    ...key ?? [],
    ...payload.map((byte, at) => key ? byte ^ key[at % 4]! : byte),
  ]);
}

/** The payload of a close frame. */
export function closing(code: number, reason = ""): Uint8Array {
  return new Uint8Array([code >> 8, code & 255, ...bytesOf(reason)]);
}

/** The fields of an ordinary request. */
export const REQUEST: Readonly<Record<string, string>> = {
  Host: "localhost",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
};

/** The text of a request with these fields beside the ordinary ones; `undefined` leaves one out. */
export function request(
  fields: Readonly<Record<string, string | undefined>> = {},
  line = "GET / HTTP/1.1",
): string {
  const lines = Object.entries({ ...REQUEST, ...fields })
    .flatMap(([name, value]) => value === undefined ? [] : [`${name}: ${value}`]);
  return [line, ...lines].join("\r\n") + "\r\n\r\n";
}

/** A client that sends whatever bytes it is told to. */
export class RawWebSocket implements Disposable {
  readonly conn: Deno.Conn;
  #unread = new Uint8Array(0);

  private constructor(conn: Deno.Conn) {
    this.conn = conn;
  }

  /** Opens a WebSocket over a connection. */
  static async open(
    conn: Deno.Conn,
    fields: Readonly<Record<string, string | undefined>> = {},
  ): Promise<RawWebSocket> {
    const client = new RawWebSocket(conn);
    await send(conn, request(fields));
    let answer = "";
    while (!answer.endsWith("\r\n\r\n")) {
      answer += String.fromCharCode((await client.#take(1))![0]!);
    }
    if (!answer.startsWith("HTTP/1.1 101 ")) throw new Error(answer);
    return client;
  }

  /** Sends bytes. */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) await send(this.conn, part);
  }

  /** The next frame; `null` at the end of the connection. */
  async next(): Promise<Frame | null> {
    const head = await this.#take(2);
    if (head === null) return null;
    const short = head[1]! & 0x7f;
    const longer = short === 126 ? 2 : short === 127 ? 8 : 0;
    const length = longer === 0
      ? short
      : (await this.#take(longer))!.reduce((sum, byte) => sum * 256 + byte, 0);
    const isMasked = (head[1]! & 0x80) !== 0;
    const key = isMasked ? (await this.#take(4))! : undefined;
    const payload = (await this.#take(length))!;
    if (key) payload.forEach((byte, at) => payload[at] = byte ^ key[at % 4]!);
    return { opcode: head[0]! & 0x0f, fin: head[0]! >= 0x80, isMasked, payload };
  }

  /** The payloads of the next data frames, until the text is complete. */
  async text(length: number): Promise<string> {
    let text = "";
    while (text.length < length) {
      const next = await this.next();
      if (next === null) throw new Error(`ended after ${JSON.stringify(text)}`);
      if (next.opcode < 8) text += new TextDecoder().decode(next.payload);
    }
    return text;
  }

  /** The code of the close frame that comes next, after other frames. */
  async closeCode(): Promise<number | undefined> {
    for (;;) {
      const next = await this.next();
      if (next === null) throw new Error("ended without a close frame");
      if (next.opcode !== 8) continue;
      return next.payload.length === 0 ? undefined : next.payload[0]! * 256 + next.payload[1]!;
    }
  }

  /** Exactly so many bytes; `null` at the end. */
  async #take(length: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const buffer = new Uint8Array(64 * 1024);
    while (this.#unread.length < length) {
      const count = await this.conn.read(buffer);
      if (count === null) return null;
      this.#unread = new Uint8Array([...this.#unread, ...buffer.subarray(0, count)]);
    }
    const taken = this.#unread.slice(0, length);
    this.#unread = this.#unread.slice(length);
    return taken;
  }

  [Symbol.dispose](): void {
    this.conn.close();
  }
}
