/**
 * CONNECT through an HTTP proxy (RFC 9110, section 9.3.6). The first request has no credentials
 * unless they are preemptive; they are sent for the strongest challenge.
 *
 * @module
 */
import { formatAddress } from "../../endpoint/address.ts";
import type { ByteStream } from "../stream.ts";
import { readChallenges } from "./challenges.ts";
import { type HttpAnswer, readAnswer } from "./http_answer.ts";
import { writeAll } from "../write_all.ts";
import type { ProxyHandshakeRequest } from "./handshake.ts";

/** The maximum number of requests with credentials: the second is for a stale nonce. */
const MAX_ATTEMPTS = 2;

/** Runs CONNECT. Names are resolved by the proxy. */
export async function httpConnect(
  first: ByteStream,
  { proxy, target, redial }: ProxyHandshakeRequest,
): Promise<ByteStream> {
  const uri = formatAddress(target);
  const { credentials, preemptive } = proxy;
  const connection = { socket: first, isUsed: false, redial };
  let authorization: string | undefined;
  if (credentials && preemptive) {
    authorization = (await import("./authorization.ts")).basicAuthorization(credentials);
  }
  for (let attempts = authorization === undefined ? 0 : 1;; attempts++) {
    const answer = await send(connection, requestFor(uri, authorization));
    if (answer.code >= 200 && answer.code < 300) return connection.socket;
    // Some proxies, such as tinyproxy, respond 401 to a wrong password.
    if (attempts > 0 && answer.code === 401) throw refused(answer);
    if (answer.code !== 407) throw new Error(textOf(answer));
    if (!credentials) throw new Error(`${textOf(answer)} (authentication required)`);
    const challenges = readChallenges(answer.challenges);
    const isStale = challenges.some(({ parameters }) =>
      parameters.get("stale")?.toLowerCase() === "true"
    );
    if (
      attempts >= MAX_ATTEMPTS ||
      (attempts > 0 && !isStale && !isPreemptive(authorization, preemptive))
    ) {
      throw refused(answer);
    }
    const { authorizationFor } = await import("./authorization.ts");
    const request = { method: "CONNECT", uri };
    authorization = authorizationFor(challenges, { credentials, request });
    if (authorization === undefined) throw unsupported(answer, challenges);
    connection.isUsed = await answer.skipBody();
    if (!connection.isUsed) connection.socket = await redial();
  }
}

/**
 * Sends the request over the current connection. If it was used before, the proxy may have closed
 * it meanwhile, so the request is repeated over a new one.
 */
async function send(
  connection: { socket: ByteStream; isUsed: boolean; redial(): Promise<ByteStream> },
  request: Uint8Array,
): Promise<HttpAnswer> {
  try {
    await writeAll(connection.socket, request);
    return await readAnswer(connection.socket);
  } catch (error) {
    if (!connection.isUsed) throw error;
    connection.socket = await connection.redial();
    connection.isUsed = false;
    return await send(connection, request);
  }
}

/** Whether the credentials were sent preemptively, so that the proxy may ask for another scheme. */
function isPreemptive(authorization: string | undefined, preemptive = false): boolean {
  return preemptive && authorization?.startsWith("Basic ") === true;
}

function refused(answer: HttpAnswer): Error {
  return new Error(`authentication failed (${textOf(answer)})`);
}

function unsupported(answer: HttpAnswer, challenges: ReturnType<typeof readChallenges>): Error {
  const offered = challenges.map(({ scheme }) => scheme).join(", ") || "nothing";
  return new Error(
    `${textOf(answer)}: none of the offered authentication schemes (${offered}) is supported`,
  );
}

function requestFor(uri: string, authorization: string | undefined): Uint8Array {
  return new TextEncoder().encode(
    [
      `CONNECT ${uri} HTTP/1.1`,
      `Host: ${uri}`,
      ...authorization === undefined ? [] : [`Proxy-Authorization: ${authorization}`],
    ].join("\r\n") + "\r\n\r\n",
  );
}

function textOf({ code, reason }: HttpAnswer): string {
  return `it answered ${code} ${reason}`.trimEnd();
}
