/**
 * A connection that a program has made.
 *
 * @module
 */
import { concat } from "@std/bytes/concat";
import { formatAddress } from "../endpoint/address.ts";
import type { Connection } from "../connection/connection.ts";

const NEWLINE = 0x0a;

/** The most bytes that a line may have. */
const LONGEST_LINE = 1024 * 1024;

const encoder = new TextEncoder();

/** A connection to a service. Disposing it closes it. */
export class ClientConnection implements Disposable {
  /** Our end, as events of the server name it (`peer`): `127.0.0.1:51234`. */
  readonly localAddress: string;
  readonly #connection: Connection;
  /** What has arrived and was not asked for yet. */
  #unread: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** Takes over a connection that stands. */
  constructor(connection: Connection) {
    this.#connection = connection;
    this.localAddress = formatAddress(connection.local);
  }

  /** Sends all of the bytes, or the text as UTF-8; resolves when the kernel has taken the last. */
  async write(data: string | Uint8Array): Promise<void> {
    await this.#connection.write(typeof data === "string" ? encoder.encode(data) : data);
  }

  /** The next bytes that arrive; `null` once the peer has ended its half. One read at a time. */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#unread.length === 0) return (await this.#connection.read())?.slice() ?? null;
    const bytes = this.#unread;
    this.#unread = new Uint8Array(0);
    return bytes;
  }

  /**
   * The next line as UTF-8, without its LF or CRLF; the last may lack it. `null` once the peer has ended its half and
   * all is read.
   *
   * @throws {Error} where a line is longer than a mebibyte
   */
  async readLine(): Promise<string | null> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let length = 0; length <= LONGEST_LINE;) {
      const chunk = await this.read();
      if (chunk === null) return parts.length === 0 ? null : textOf(parts);
      const end = chunk.indexOf(NEWLINE);
      if (end !== -1) {
        this.#unread = chunk.subarray(end + 1);
        return textOf([...parts, chunk.subarray(0, end)]);
      }
      parts.push(chunk);
      length += chunk.length;
    }
    throw new Error(`a line from ${formatAddress(this.#connection.peer)} is longer than 1 MiB`);
  }

  /** Ends our half: the peer reads to the end of what was written, and may still send. */
  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** Closes both halves at once. */
  close(): void {
    this.#connection.close("server closed");
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function textOf(parts: readonly Uint8Array<ArrayBuffer>[]): string {
  return new TextDecoder().decode(concat([...parts])).replace(/\r$/, "");
}
