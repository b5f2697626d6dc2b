/**
 * What a server answers to the opening handshake (RFC 6455, section 4.2).
 *
 * @module
 */
import { acceptKey, isKey } from "./accept_key.ts";
import type { HttpHead } from "../http_head.ts";
import { originFault } from "./origin.ts";

/** Which requests are accepted. */
export interface UpgradeRules {
  /** The path, if only one is served. */
  readonly path: string | undefined;
  /** Origins that are allowed beside those of the same host and port. */
  readonly origins: readonly string[];
  /** The subprotocols, in order of preference. */
  readonly subprotocols: readonly string[];
}

/** The answer to a request. */
export interface UpgradeAnswer {
  /** The status line and the field lines. */
  readonly lines: readonly string[];
  /** The subprotocol that was agreed on. */
  readonly subprotocol?: string | undefined;
  /** Why it is refused; `undefined` if it is accepted. */
  readonly refusal?: string;
  /** The body of a refusal. */
  readonly body?: string;
}

/** The subprotocol of websockify, which is accepted where no other is configured. */
const BY_DEFAULT = ["binary"];

const ABOUT = "This port speaks WebSocket (RFC 6455), version 13.";

/** The answer to a request. */
export function answerUpgrade(head: HttpHead, rules: UpgradeRules): UpgradeAnswer {
  const [method, target = ""] = head.start.split(" ");
  if (!head.has("upgrade", "websocket") || !head.has("connection", "upgrade") || method !== "GET") {
    return plainAnswer(method === "HEAD");
  }
  const fault = faultOf(head);
  if (fault !== undefined) return refusal("400 Bad Request", fault);
  if (head.only("sec-websocket-version") !== "13") {
    const version = ["Sec-WebSocket-Version: 13"];
    return refusal("426 Upgrade Required", "another version than 13", version);
  }
  if (rules.path !== undefined && pathOf(target) !== rules.path) {
    return refusal("404 Not Found", "another path");
  }
  const origin = originFault(head.all("origin"), {
    host: head.only("host")!,
    allowed: rules.origins,
  });
  if (origin !== undefined) return refusal("403 Forbidden", origin);
  return accepted(head, rules);
}

/** What is wrong with an upgrade request. */
function faultOf(head: HttpHead): string | undefined {
  if (head.start.endsWith("HTTP/1.0")) return "HTTP/1.0";
  if (head.only("host") === undefined) return "not one Host field";
  if (!isKey(head.only("sec-websocket-key") ?? "")) return "no valid Sec-WebSocket-Key";
}

function accepted(head: HttpHead, { subprotocols }: UpgradeRules): UpgradeAnswer {
  const offered = head.list("sec-websocket-protocol");
  const known = subprotocols.length > 0 ? subprotocols : BY_DEFAULT;
  const subprotocol = known.find((name) => offered.includes(name));
  return {
    subprotocol,
    lines: [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${acceptKey(head.only("sec-websocket-key")!)}`,
      ...subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`],
    ],
  };
}

/** The answer to plain HTTP: what this port is. */
function plainAnswer(isHead: boolean): UpgradeAnswer {
  const answer = refusal(
    "426 Upgrade Required",
    "a plain HTTP request",
    [
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
    ],
    `${ABOUT} It is an outlet, not a website: connect with outlet client ws://…, or a page's WebSocket.`,
  );
  return isHead ? { ...answer, body: "" } : answer;
}

function refusal(
  status: string,
  why: string,
  fields: readonly string[] = [],
  text = `${ABOUT} The request was refused: ${why}.`,
): UpgradeAnswer {
  const body = `${text}\n`;
  const lines = [
    `HTTP/1.1 ${status}`,
    ...fields,
    `Connection: ${
      fields.some((field) => field.startsWith("Upgrade")) ? "Upgrade, close" : "close"
    }`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${new TextEncoder().encode(body).length}`,
  ];
  return { lines, body, refusal: why };
}

/** The path of a request target, without the query. */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, "").replace(/\?.*$/, "");
}
