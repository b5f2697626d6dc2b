/**
 * The plaintext exchange with a server before TLS: what is sent, and what is received, in order.
 *
 * @module
 */
import { formatCount, formatSize } from "../../options/quantity.ts";
import type { ByteStream } from "../stream.ts";
import { writeAll } from "../write_all.ts";

/** The most bytes that a server may send before TLS: more than any of them needs. */
const MAX_RECEIVED = 16 * 1024;

/** The size of one read: with one byte, what comes too early would be taken for TLS. */
const READ_SIZE = 2048;

/** The most characters of a server's text in an error. */
const MAX_QUOTED = 200;

/** What a negotiator knows of the connection. */
export interface ExchangeOptions {
  /** What the server is asked for as: the name that its certificate must match. */
  readonly serverName: string;
  /** Called with what does not come if the time is over: `no SMTP greeting`. */
  awaits(missing: string): void;
}

/** Reads a server's text and bytes, each once. Text is one character a byte. */
export class Exchange {
  /** What the server is asked for as. */
  readonly serverName: string;
  readonly #stream: ByteStream;
  readonly #awaits: (missing: string) => void;
  readonly #buffer = new Uint8Array(READ_SIZE);
  #received = 0;
  /** What is received and not yet taken. */
  #text = "";

  /** An exchange over a stream that nothing else reads. */
  constructor(stream: ByteStream, { serverName, awaits }: ExchangeOptions) {
    this.#stream = stream;
    this.#awaits = awaits;
    this.serverName = serverName;
  }

  /** The local address. */
  get localAddr(): Deno.Addr {
    return this.#stream.localAddr;
  }

  /** What has come and is not yet taken. */
  get pending(): string {
    return this.#text;
  }

  /** Says what is waited for from now on. */
  awaits(missing: string): void {
    this.#awaits(missing);
  }

  /** Sends a request, whose answer comes next. */
  async send(request: string | Uint8Array): Promise<void> {
    await writeAll(
      this.#stream,
      typeof request === "string" ? new TextEncoder().encode(request) : request,
    );
  }

  /** Takes the next line, without its end. */
  async line(): Promise<string> {
    const [line] = await this.match(/^[^\n]*\n/);
    return line.replace(/\r?\n$/, "");
  }

  /** Takes exactly `length` bytes. */
  async bytes(length: number): Promise<Uint8Array> {
    while (this.#text.length < length) await this.#read();
    return Uint8Array.from(this.#take(length), (letter) => letter.charCodeAt(0));
  }

  /** Takes everything to the end of the first match of the pattern. */
  async match(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#text);
      if (match) {
        this.#take(match.index + match[0].length);
        return match;
      }
      await this.#read();
    }
  }

  /**
   * Checks that nothing has come after the server's last answer: whoever is between could have put
   * it there, and it would be taken for part of what TLS protects (CVE-2011-0411, CVE-2021-23222).
   */
  end(): void {
    if (this.#text === "") return;
    throw new Error(
      `the server sent ${formatCount(this.#text.length, "byte")} between its go-ahead and TLS, ` +
        `which anybody may have put there: ${quoted(this.#text)}`,
    );
  }

  async #read(): Promise<void> {
    const length = await this.#stream.read(this.#buffer);
    if (length === null) {
      throw new Error(
        this.#text === ""
          ? "the server closed the connection before TLS"
          : `the server closed the connection within ${quoted(this.#text)}`,
      );
    }
    this.#received += length;
    if (this.#received > MAX_RECEIVED) {
      throw new Error(`the server sent more than ${formatSize(MAX_RECEIVED)} before TLS`);
    }
    for (const byte of this.#buffer.subarray(0, length)) this.#text += String.fromCharCode(byte);
  }

  #take(length: number): string {
    const taken = this.#text.slice(0, length);
    this.#text = this.#text.slice(length);
    return taken;
  }
}

/** A server's text for an error. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}

/** The error of an answer that is none of this protocol. */
export function foreign(protocol: string, text: string): Error {
  const isTls = ["\x15\x03", "\x16\x03"].some((header) => text.startsWith(header));
  const hint = isTls ? " (it speaks TLS already)" : "";
  return new Error(`the server does not speak ${protocol}: it sent ${quoted(text)}${hint}`);
}

/** The error of a server without TLS, and what it said. */
export function notOffered(said: string): Error {
  return new Error(`the server does not offer STARTTLS: ${quoted(said)}`);
}

/** The error of a server that has it, but not now. */
export function rejected(request: string, said: string): Error {
  return new Error(`the server rejected ${request}: ${quoted(said)}`);
}
