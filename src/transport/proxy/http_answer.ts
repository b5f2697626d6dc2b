/**
 * An HTTP proxy's answer, read without a byte of what comes behind it.
 *
 * @module
 */
import type { ByteStream } from "../stream.ts";
import { readFull } from "./read_full.ts";

/** The most bytes of an answer's header that are read, and of a body that is read away. */
const LIMITS = { header: 16 * 1024, body: 64 * 1024 };

/** What a proxy answered. */
export interface HttpAnswer {
  /** Its status. */
  readonly code: number;
  /** What stands behind the status. */
  readonly reason: string;
  /** All that the proxy asks for, on one line. */
  readonly challenges: string;
  /** Reads its body away; whether the next request can go over the same connection. */
  skipBody(): Promise<boolean>;
}

/**
 * Reads an answer.
 *
 * @throws {Error} where it is none
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

/** Reads to the empty line, a byte at a time: what comes behind it is the target's already. */
async function readHeader(socket: ByteStream): Promise<string> {
  let header = "";
  while (!header.endsWith("\r\n\r\n")) {
    if (header.length >= LIMITS.header) throw new Error("its answer has no end");
    header += String.fromCharCode((await readFull(socket, 1))[0]!);
  }
  return header;
}
