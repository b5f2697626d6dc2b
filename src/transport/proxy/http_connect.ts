/**
 * CONNECT: a tunnel through an HTTP proxy (RFC 9110, section 9.3.6).
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding/base64";
import { formatAddress } from "../../endpoint/address.ts";
import type { ByteStream } from "../stream.ts";
import { readFull, writeAll } from "./read_full.ts";
import type { ProxyHandshake } from "./handshake.ts";

/** The most bytes of an answer's header that are read. */
const HEADER_LIMIT = 16 * 1024;

/** Asks an HTTP proxy. A name goes to it as a name. */
export const httpConnect: ProxyHandshake = async (socket, { target, credentials }) => {
  const authority = formatAddress(target);
  const login = credentials && encodeBase64(`${credentials.user}:${credentials.password}`);
  const request = [
    `CONNECT ${authority} HTTP/1.1`,
    `Host: ${authority}`,
    ...login ? [`Proxy-Authorization: Basic ${login}`] : [],
  ];
  await writeAll(socket, new TextEncoder().encode(request.join("\r\n") + "\r\n\r\n"));
  const [status = ""] = (await readHeader(socket)).split("\r\n", 1);
  const [, code, reason = ""] = /^HTTP\/1\.\d (\d{3})\s*(.*)$/.exec(status) ?? [];
  if (code === undefined) throw new Error("it does not speak HTTP");
  if (code.startsWith("2")) return;
  const hint = code === "407" && !credentials ? " (it wants a name and password)" : "";
  throw new Error(`it answered ${code} ${reason}`.trimEnd() + hint);
};

/** Reads to the empty line, a byte at a time: what comes behind it is the target's already. */
async function readHeader(socket: ByteStream): Promise<string> {
  let header = "";
  while (!header.endsWith("\r\n\r\n")) {
    if (header.length >= HEADER_LIMIT) throw new Error("its answer has no end");
    header += String.fromCharCode((await readFull(socket, 1))[0]!);
  }
  return header;
}
