/**
 * Reads the response of an HTTP proxy, and nothing after it.
 *
 * @module
 */
import type { ByteStream } from "../stream.ts";
import { readFull } from "./read_full.ts";

/** The maximum size of a header, and of a body that is skipped, in bytes. */
const LIMITS = { header: 16 * 1024, body: 64 * 1024 };

/** The response of a proxy. */
export interface HttpAnswer {
  /** The status code. */
  readonly code: number;
  /** The reason phrase. */
  readonly reason: string;
  /** All `Proxy-Authenticate` values, joined by commas. */
  readonly challenges: string;
  /** Skips the body. Returns whether the connection can be used for the next request. */
  skipBody(): Promise<boolean>;
}

/**
 * Reads a response.
 * @throws {Error} if it is not a valid response
 */
export async function readAnswer(socket: ByteStream): Promise<HttpAnswer> {
  const [status = "", ...lines] = (await readHeader(socket)).split("\r\n");
  const [, version, code, reason = ""] = /^HTTP\/1\.(\d) (\d{3})\s*(.*)$/.exec(status) ?? [];
  if (code === undefined) throw new Error("it does not speak HTTP");
  const values = (name: string) =>
    lines.flatMap((line) => {
      const [, key, value] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
      return key?.toLowerCase() === name ? [value!] : [];
    }).join(", ");
  const isLasting = version === "1" &&
    !/\bclose\b/i.test(values("connection") + values("proxy-connection"));
  const length = values("content-length");
  return {
    code: Number(code),
    reason,
    challenges: values("proxy-authenticate"),
    async skipBody() {
      if (!isLasting || !/^\d+$/.test(length) || Number(length) > LIMITS.body) return false;
      await readFull(socket, Number(length));
      return true;
    },
  };
}

/** Reads to the empty line, one byte at a time: the bytes after it belong to the target. */
async function readHeader(socket: ByteStream): Promise<string> {
  let header = "";
  while (!header.endsWith("\r\n\r\n")) {
    if (header.length >= LIMITS.header) throw new Error("its response is incomplete");
    header += String.fromCharCode((await readFull(socket, 1))[0]!);
  }
  return header;
}
