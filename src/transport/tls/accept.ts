/**
 * TLS for servers, over an accepted socket, after a PROXY header if there is one. It uses
 * `node:tls`, because Deno can neither request client certificates nor start TLS on a server's
 * socket (denoland/deno#18451).
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { createSecureContext, createServer, type TlsOptions, type TLSSocket } from "node:tls";
import { formatDuration } from "../../options/quantity.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { explain } from "../errors.ts";
import { PeerRefused, type Stage, type StageContext } from "../stage.ts";
import type { ByteStream } from "../stream.ts";
import { HandshakeStream } from "./handshake_stream.ts";
import { type HandshakeFailure, handshakeFailure } from "./handshake_error.ts";
import type { KeyPair } from "./key_pair.ts";
import { type NamedPairs, pairFor } from "./named_pairs.ts";
import { FlowControl } from "./flow_control.ts";
import { duplexOf, StreamSocket } from "./node_stream.ts";
import { tlsFault } from "./errors.ts";

/** The certificates of a server. */
export interface TlsContents {
  /** The certificate and its key. */
  readonly pair: KeyPair;
  /** The certificates by the server name that clients ask for; the one above for all other names. */
  readonly byName?: NamedPairs | undefined;
  /**
   * The authorities for client certificates (PEM), which are then required; without it, none is
   * requested.
   */
  readonly clientCa?: string | undefined;
}

/** The TLS settings of a server. */
export interface TlsServer {
  /** The certificates for the next handshake. */
  contents(): TlsContents | Promise<TlsContents>;
  /** The ALPN protocols, in order of preference. */
  readonly alpn: readonly string[];
}

/** The time limit of a handshake in milliseconds. */
const HANDSHAKE_TIMEOUT = 10_000;

const tasks = new TaskScope("a client's TLS handshake", {
  consequence: "the client is disconnected",
});

/** A stage that runs the server's handshake and notes what was negotiated. */
export function tlsStage(server: TlsServer): Stage {
  return async (stream, context) => {
    try {
      stream.setNoDelay(true);
      return await acceptTls(stream, { ...await server.contents(), alpn: server.alpn, context });
    } catch (cause) {
      throw new PeerRefused(`TLS: ${explain(cause)}`, { cause });
    }
  };
}

/** The settings of one handshake. */
interface Handshake extends TlsContents {
  readonly alpn: readonly string[];
  readonly context: StageContext;
}

/**
 * Runs the handshake. It takes over the socket: closing the returned stream closes it, and so does
 * a failure, after an alert if nothing is encrypted yet.
 */
async function acceptTls(under: ByteStream, options: Handshake): Promise<ByteStream> {
  const flowControl = new FlowControl();
  const tls = await shakeHands(new HandshakeStream(under), { ...options, flowControl });
  try {
    noteSession(tls, options);
    return new StreamSocket(tls, { under, flowControl, explainError: tlsFault });
  } catch (error) {
    tls.destroy();
    throw error;
  }
}

async function shakeHands(
  stream: HandshakeStream,
  options: Handshake & { readonly flowControl: FlowControl },
): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const carrier = duplexOf(stream, options.flowControl);
  const onError = tasks.guard((cause: Error) => {
    const { pair: { key }, alpn } = options;
    const failure = handshakeFailure(cause, { received: stream.received, key, alpn });
    reject(new HandshakeError(failure, { cause }));
  });
  using _end = abortHandshake(carrier, {
    signal: options.context.signal,
    fail: (reason) => reject(new HandshakeError({ reason })),
  });
  try {
    // One server for each connection, so that each has the current certificate and its own errors.
    const server = createServer(settingsOf(options), resolve);
    server.on("tlsClientError", onError).emit("connection", carrier);
    const tls = await promise;
    stream.handOver();
    return tls;
  } catch (error) {
    carrier.destroy();
    await stream.giveUp(error instanceof HandshakeError ? error.failure.alert : undefined);
    throw error;
  }
}

/** Options for `node:tls`. */
function settingsOf({ pair, byName, clientCa, alpn }: Handshake): TlsOptions {
  const ca = clientCa === undefined ? {} : { ca: clientCa };
  const contextFor = (name: string) =>
    createSecureContext({ ...byName && pairFor(name, byName) || pair, ...ca });
  return {
    ...pair,
    ...ca,
    ...clientCa === undefined ? {} : { requestCert: true },
    ...byName && byName.size > 0
      ? { SNICallback: (name, done) => done(null, contextFor(name)) }
      : {},
    ...alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] },
    // Verified below, to report the reason.
    rejectUnauthorized: false,
    allowHalfOpen: true,
    // Node's own timer would go on for some turns of the event loop after the carrier is destroyed: see failEarly.
    handshakeTimeout: -1,
  };
}

/**
 * Fails the handshake when the client disconnects, the time limit is over, or the signal is
 * aborted, until disposed.
 */
function abortHandshake(
  carrier: Duplex,
  { signal, fail }: { readonly signal: AbortSignal; fail(reason: string): void },
): Disposable {
  const onClose = tasks.guard(() => fail("the client disconnected during the handshake"));
  carrier.on("error", tasks.guard((error: Error) => fail(explain(error))));
  carrier.once("end", onClose).once("close", onClose);
  const late = setTimeout(
    tasks.guard(() => fail(`TLS handshake timed out after ${formatDuration(HANDSHAKE_TIMEOUT)}`)),
    HANDSHAKE_TIMEOUT,
  );
  const stop = tasks.guard(() => fail("server closed"));
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  return {
    [Symbol.dispose]() {
      clearTimeout(late);
      signal.removeEventListener("abort", stop);
    },
  };
}

/** A failed handshake, with a readable message. */
class HandshakeError extends Error {
  readonly failure: HandshakeFailure;

  constructor(failure: HandshakeFailure, options?: ErrorOptions) {
    super(failure.reason, options);
    this.failure = failure;
  }
}

/** Notes the session, and the subject of the client's certificate. */
function noteSession(tls: TLSSocket, { clientCa, context }: Handshake): void {
  if (clientCa !== undefined && !tls.authorized) throw new Error(distrust(tls));
  const { subject } = clientCa === undefined ? {} : tls.getPeerCertificate() ?? {};
  context.note("tls", tls.getProtocol() ?? "unknown");
  context.note("tls-cipher", tls.getCipher().name);
  context.note("sni", serverNameOf(tls));
  context.note("alpn", tls.alpnProtocol || undefined);
  context.note("tls-verified", clientCa === undefined ? undefined : "by tls-client-ca");
  context.note(
    "tls-subject",
    subject && Object.entries(subject).map(([name, value]) => `${name}=${value}`).join(", "),
  );
}

/** The name that the client asked for (SNI). */
function serverNameOf(tls: TLSSocket & { servername?: string | false }): string | undefined {
  return tls.servername || undefined;
}

/** Why the client's certificate is rejected. */
function distrust(tls: TLSSocket): string {
  const fault = String(tls.authorizationError);
  const hasCertificate = tls.getPeerCertificate()?.subject !== undefined;
  if (!hasCertificate) return "the client sent no certificate";
  return `the client's certificate is not signed by a CA of tls-client-ca (${fault}); ` +
    "it also has to be X.509 version 3";
}
