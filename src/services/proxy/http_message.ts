/**
 * HTTP messages as a proxy sends them on (RFC 9110, section 7.6).
 *
 * @module
 */
import { headBytes, type HttpHead } from "../../transport/http_head.ts";

/** Fields about one connection, which are not sent on, whether `Connection` names them or not. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "proxy-connection",
  "keep-alive",
  "proxy-authorization",
  "proxy-authenticate",
  "proxy-authentication-info",
  "te",
  "upgrade",
]);

/** Fields that say where a message is for or ends: `Connection` cannot remove them. */
const ESSENTIAL: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding"]);

/** A request for the origin server. It answers in the version of the client, and then closes. */
export function forwardedRequest(
  head: HttpHead,
  { host, path, version }: { host: string; path: string; version: string },
): Uint8Array {
  const [method = ""] = head.start.split(" ");
  return headBytes([
    `${method} ${path} ${version}`,
    `Host: ${host}`,
    ...endToEnd(head).filter((line) => nameOf(line) !== "host"),
    `Via: ${version.replace("HTTP/", "")} outlet`,
    "Connection: close",
  ]);
}

/** A response for the client. */
export function forwardedResponse(head: HttpHead, { isLast }: { isLast: boolean }): Uint8Array {
  const [, version = "1.1"] = /^HTTP\/(1\.\d)/.exec(head.start) ?? [];
  return headBytes([
    head.start,
    ...endToEnd(head),
    ...isLast ? [`Via: ${version} outlet`, "Connection: close"] : [],
  ]);
}

/** The field lines that are sent on. */
function endToEnd(head: HttpHead): string[] {
  const listed = new Set(head.list("connection").map((name) => name.toLowerCase()));
  return head.lines.filter((line) => {
    const name = nameOf(line);
    return !HOP_BY_HOP.has(name) && (ESSENTIAL.has(name) || !listed.has(name));
  });
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(":")).toLowerCase();
}
