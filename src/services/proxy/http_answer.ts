/**
 * The answers of an HTTP proxy to requests that it does not serve.
 *
 * @module
 */
import { concat } from "@std/bytes/concat";
import { headBytes } from "../../transport/http_head.ts";
import type { Refusal, RefusalKind } from "./refusal.ts";

/** The status of each refusal (RFC 9110, section 15). */
const STATUS: Readonly<Record<RefusalKind, string>> = {
  "malformed": "400 Bad Request",
  "address not supported": "400 Bad Request",
  "not supported": "501 Not Implemented",
  "password needed": "407 Proxy Authentication Required",
  "not allowed": "403 Forbidden",
  "busy": "503 Service Unavailable",
  "unknown name": "502 Bad Gateway",
  "network unreachable": "502 Bad Gateway",
  "host unreachable": "502 Bad Gateway",
  "connection refused": "502 Bad Gateway",
  "timed out": "504 Gateway Timeout",
  "failed": "502 Bad Gateway",
};

const CHALLENGE = 'Proxy-Authenticate: Basic realm="outlet", charset="UTF-8"';

/** The answer to a refused request: why, in the status and as text. */
export function answerTo(
  { kind, message }: Pick<Refusal, "kind" | "message">,
  { isHead }: { isHead: boolean },
): Uint8Array {
  const text = new TextEncoder().encode(`outlet's proxy: ${message}\n`);
  const head = headBytes([
    `HTTP/1.1 ${STATUS[kind]}`,
    ...kind === "password needed" ? [CHALLENGE] : [],
    "Connection: close",
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${text.length}`,
  ]);
  return isHead ? head : concat([head, text]);
}
