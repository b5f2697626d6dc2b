/**
 * HTTP proxying for servers: CONNECT (RFC 9110, section 9.3.6), and requests in absolute form
 * (RFC 9112, section 3.2.2), one for each connection.
 *
 * @module
 */
import { decodeBase64 } from "@std/encoding/base64";
import {
  formatAddress,
  type InternetAddress,
  isHost,
  splitHostPort,
} from "../../endpoint/address.ts";
import { headBytes, type HttpHead } from "../../transport/http_head.ts";
import type { ClientReader } from "./client_reader.ts";
import { answerTo } from "./http_answer.ts";
import { bodyFilter } from "./http_body.ts";
import { forwardedRequest } from "./http_message.ts";
import { ResponseFilter } from "./http_response.ts";
import { Refusal } from "./refusal.ts";
import type { Authenticator, ProxyProtocol, ProxyRequest } from "./request.ts";

/** The most characters of a method in a note. */
const MAX_METHOD = 20;

const NOTHING = new Uint8Array(0);

/** HTTP with one client whose first byte was read. */
export function http(
  first: number,
  authenticator: Authenticator | undefined,
): ProxyProtocol {
  let method = "";
  return {
    async readRequest(reader) {
      const head = await reader.head(first);
      [method = ""] = head.start.split(" ");
      if (authenticator) await authenticate(head, { reader, authenticator });
      return method === "CONNECT" ? connectRequest(head) : absoluteRequest(head);
    },
    granted: ({ message }) =>
      message ? NOTHING : headBytes(["HTTP/1.1 200 Connection established"]),
    refused: (refusal) => answerTo(refusal, { isHead: method === "HEAD" }),
  };
}

async function authenticate(
  head: HttpHead,
  { reader, authenticator }: { reader: ClientReader; authenticator: Authenticator },
): Promise<void> {
  const [, word] = /^basic +([a-z0-9+/]+=*)$/i.exec(head.only("proxy-authorization") ?? "") ?? [];
  const [, user, password] = /^([^:]*):(.*)$/s.exec(word === undefined ? "" : decoded(word)) ?? [];
  if (user === undefined || password === undefined) {
    throw new Refusal("password needed", "no password was sent (Proxy-Authorization: Basic)");
  }
  await reader.pause(() => authenticator.check(user, password));
}

function decoded(word: string): string {
  try {
    return new TextDecoder().decode(decodeBase64(word));
  } catch {
    return "";
  }
}

function connectRequest(head: HttpHead): ProxyRequest {
  const target = addressOf(head.start.split(" ")[1]!);
  return { command: "connect", name: "http CONNECT", target };
}

/** A request whose target is a whole URL. Its Host field counts for nothing. */
function absoluteRequest(head: HttpHead): ProxyRequest {
  const [method = "", word = "", version = ""] = head.start.split(" ");
  if (!/^[a-z][a-z0-9+.-]*:/i.test(word)) {
    throw new Refusal(
      "malformed",
      "this port is a proxy: it takes CONNECT, requests with a whole http:// URL, and SOCKS 4 and 5",
    );
  }
  const [, authority, path] = /^http:\/\/([^/?#]*)([^#]*)$/i.exec(word) ?? [];
  if (authority === undefined || path === undefined) {
    throw new Refusal("malformed", "the URL is not one of http://; CONNECT is for all others");
  }
  const hasPort = /:\d*$/.test(authority) && !authority.endsWith("]");
  const target = addressOf(hasPort ? authority.replace(/:$/, ":80") : `${authority}:80`);
  const fromClient = bodyFilter(head);
  return {
    command: "connect",
    name: `http ${method.slice(0, MAX_METHOD)}`,
    target,
    message: {
      head: forwardedRequest(head, { host: authority, path: originForm(method, path), version }),
      fromClient,
      fromUpstream: new ResponseFilter({ method, version, target: formatAddress(target) }),
    },
  };
}

/** The target for the origin server (RFC 9112, section 3.2). */
function originForm(method: string, path: string): string {
  if (path === "" && method === "OPTIONS") return "*";
  return path.startsWith("/") ? path : `/${path}`;
}

function addressOf(authority: string): InternetAddress {
  const parts = splitHostPort(authority);
  const port = /^\d{1,5}$/.test(parts?.port ?? "") ? Number(parts!.port) : 0;
  if (parts && isHost(parts.host) && !parts.host.includes("%") && port > 0 && port < 65_536) {
    return { hostname: parts.host, port };
  }
  throw new Refusal("malformed", "the target is not HOST:PORT");
}
