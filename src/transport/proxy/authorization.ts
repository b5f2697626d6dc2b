/**
 * Authorization for HTTP proxies: Digest (RFC 7616) before Basic (RFC 7617).
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { encodeBase64 } from "@std/encoding/base64";
import type { Credentials } from "../../endpoint/proxy.ts";
import type { Challenge } from "./challenges.ts";

/** The algorithms of Digest, the strongest first, with the hash names of `node:crypto`. */
const HASHES: Readonly<Record<string, string>> = {
  "sha-512-256": "sha512-256",
  "sha-256": "sha256",
  "md5": "md5",
};

/** The request that is authorized. */
export interface ProxyRequest {
  /** The method: `CONNECT`. */
  readonly method: string;
  /** The request target. */
  readonly uri: string;
}

/** The header of Basic authorization. It is not encrypted. */
export function basicAuthorization({ user, password = "" }: Credentials): string {
  return `Basic ${encodeBase64(new TextEncoder().encode(`${user}:${password}`))}`;
}

/** The header for the strongest challenge; `undefined` if no scheme is supported. */
export function authorizationFor(
  challenges: readonly Challenge[],
  { credentials, request }: { credentials: Credentials; request: ProxyRequest },
): string | undefined {
  const digests = challenges.filter(({ scheme }) => scheme === "digest");
  for (const algorithm of Object.keys(HASHES)) {
    const digest = digests.find((challenge) => algorithmOf(challenge).name === algorithm);
    if (digest) return digestAuthorization(digest, { credentials, request });
  }
  const isBasic = challenges.some(({ scheme }) => scheme === "basic");
  return isBasic ? basicAuthorization(credentials) : undefined;
}

/** The algorithm in lower case, and whether it is a session variant (`-sess`). */
function algorithmOf({ parameters }: Challenge): { name: string; isSession: boolean } {
  const algorithm = (parameters.get("algorithm") ?? "MD5").toLowerCase();
  return { name: algorithm.replace(/-sess$/, ""), isSession: algorithm.endsWith("-sess") };
}

function digestAuthorization(
  challenge: Challenge,
  { credentials: { user, password = "" }, request }: {
    credentials: Credentials;
    request: ProxyRequest;
  },
): string {
  const { parameters } = challenge;
  const { name, isSession } = algorithmOf(challenge);
  const hash = (text: string) => createHash(HASHES[name]!).update(text, "utf8").digest("hex");
  const [realm, nonce] = [parameters.get("realm") ?? "", parameters.get("nonce") ?? ""];
  const cnonce = randomBytes(16).toString("hex");
  const qop = protectionOf(parameters.get("qop"));
  const count = "00000001";
  const secret = hash(`${user}:${realm}:${password}`);
  const key = isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  // The body of a CONNECT is empty.
  const a2 = `${request.method}:${request.uri}` + (qop === "auth-int" ? `:${hash("")}` : "");
  const middle = qop === undefined ? nonce : `${nonce}:${count}:${cnonce}:${qop}`;
  const isHashed = parameters.get("userhash")?.toLowerCase() === "true";
  const algorithm = parameters.get("algorithm");
  const opaque = parameters.get("opaque");
  return "Digest " + [
    isHashed ? `username=${quoted(hash(`${user}:${realm}`))}` : userParameter(user),
    `realm=${quoted(realm)}`,
    `nonce=${quoted(nonce)}`,
    `uri=${quoted(request.uri)}`,
    `response=${quoted(hash(`${key}:${middle}:${hash(a2)}`))}`,
    ...algorithm === undefined ? [] : [`algorithm=${algorithm}`],
    ...opaque === undefined ? [] : [`opaque=${quoted(opaque)}`],
    ...qop === undefined ? [] : [`qop=${qop}`, `nc=${count}`],
    ...qop !== undefined || isSession ? [`cnonce=${quoted(cnonce)}`] : [],
    ...isHashed ? ["userhash=true"] : [],
  ].join(", ");
}

/** The quality of protection to use; `undefined` if the proxy offers none (RFC 2069). */
function protectionOf(offer: string | undefined): "auth" | "auth-int" | undefined {
  const offered = offer?.toLowerCase().split(/[ \t,]+/) ?? [];
  return (["auth", "auth-int"] as const).find((qop) => offered.includes(qop));
}

/** The user parameter, in the form of RFC 8187 if a quoted string cannot hold it. */
function userParameter(user: string): string {
  return /^[\x20-\x7e]*$/.test(user)
    ? `username=${quoted(user)}`
    : `username*=UTF-8''${encodeURIComponent(user)}`;
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
