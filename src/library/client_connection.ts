/**
 * The client connection of the library.
 *
 * @module
 */
import { concat } from "@std/bytes/concat";
import { formatAddress } from "../endpoint/address.ts";
import type { Connection } from "../connection/connection.ts";

const NEWLINE = 0x0a;

/** The longest line, in bytes. */
const MAX_LINE = 1024 * 1024;

const encoder = new TextEncoder();

/** A connection to a service. Disposing it closes it. */
export class ClientConnection implements Disposable {
  /** The client's address, which is `peer` in the server's events: `127.0.0.1:51234`. */
  readonly localAddress: string;
  readonly #connection: Connection;
  /** Received bytes that were not read yet. */
  #unread: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** Wraps an established connection. */
  constructor(connection: Connection) {
    this.#connection = connection;
    this.localAddress = formatAddress(connection.local);
  }

  /** Sends bytes, or text as UTF-8; resolves when the kernel has accepted all of them. */
  async write(data: string | Uint8Array): Promise<void> {
    await this.#connection.write(typeof data === "string" ? encoder.encode(data) : data);
  }

  /** Reads the next bytes; `null` once the peer has closed its half. One read at a time. */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#unread.length === 0) return (await this.#connection.read())?.slice() ?? null;
    const bytes = this.#unread;
    this.#unread = new Uint8Array(0);
    return bytes;
  }

  /**
   * Reads a line of UTF-8, without its LF or CRLF, which the last line may lack; `null` at the end.
   *
   * @throws {Error} where a line is longer than 1 MiB
   */
  async readLine(): Promise<string | null> {
    const parts: Uint8Array<ArrayBuffer>[] = [];
    for (let length = 0; length <= MAX_LINE;) {
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

  /** Closes our half (FIN): the peer can still send. */
  async closeWrite(): Promise<void> {
    await this.#connection.closeWrite();
  }

  /** Closes the connection. */
  close(): void {
    this.#connection.close("closed by us");
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function textOf(parts: readonly Uint8Array<ArrayBuffer>[]): string {
  return new TextDecoder().decode(concat([...parts])).replace(/\r$/, "");
}
