/**
 * TLS from the server's side, over a socket that was accepted and perhaps announced by a proxy. It goes
 * through `node:tls`, because Deno can neither ask for client certificates nor begin TLS on a server's
 * socket (denoland/deno#18451).
 *
 * @module
 */
import { createServer, type TLSSocket } from "node:tls";
import { formatDuration } from "../../options/quantity.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { explain } from "../errors.ts";
import type { ByteStream } from "../stream.ts";
import { HandshakeStream } from "./handshake_stream.ts";
import { type HandshakeFailure, handshakeFailure } from "./handshake_error.ts";
import type { KeyPair } from "./key_pair.ts";
import { duplexOf, FlowControl, StreamSocket } from "./node_stream.ts";
import { tlsFault } from "./errors.ts";

/** Who we are, and who may come. */
export interface TlsServerOptions extends KeyPair {
  /** The authorities of which one has to have signed the client's certificate (PEM); without it, none is asked for. */
  readonly clientCa?: string | undefined;
  /** The application protocols that are spoken here, the best first. */
  readonly alpn: readonly string[];
  /** Gives up when aborted. */
  readonly signal: AbortSignal;
}

/** What was agreed. */
export interface TlsServerSession {
  /** `TLSv1.3` */
  readonly protocol: string;
  /** The application protocol, where one was agreed. */
  readonly alpn: string | undefined;
  /** The subject of the client's verified certificate, where one was asked for. */
  readonly subject: string | undefined;
}

/** How long a handshake may take, in milliseconds. */
const HANDSHAKE_TIMEOUT = 10_000;

const tasks = new TaskScope("a client's TLS handshake", { without: "the client is turned away" });

/**
 * Shakes hands with the client. The socket is taken over: closing the one returned closes it, and so does a
 * failure, of which the client is told by an alert as long as nothing is encrypted.
 *
 * @throws {Error} which says why the client is turned away
 */
export async function acceptTls(
  socket: ByteStream,
  options: TlsServerOptions,
): Promise<{ socket: ByteStream; agreement: TlsServerSession }> {
  const flow = new FlowControl();
  const carrier = new HandshakeStream(socket);
  const tls = await handshake(carrier, { ...options, flow });
  try {
    return {
      agreement: sessionOf(tls, options),
      socket: new StreamSocket(tls, { under: socket, valve: flow, tell: tlsFault }),
    };
  } catch (error) {
    tls.destroy();
    throw error;
  }
}

async function handshake(
  stream: HandshakeStream,
  { cert, key, clientCa, alpn, signal, flow }: TlsServerOptions & { flow: FlowControl },
): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const asked = {
    cert,
    key,
    ...clientCa === undefined ? {} : { ca: clientCa, requestCert: true },
    ...alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] },
    // The certificate is judged below, where the reason can be told.
    rejectUnauthorized: false,
    allowHalfOpen: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT,
  };
  const fail = (reason: string) => reject(new HandshakeError({ reason }));
  const judge = tasks.guard((error: Error) => {
    const failure = handshakeFailure(error, { received: stream.received, key, alpn });
    reject(new HandshakeError(failure, { cause: error }));
  });
  const carrier = duplexOf(stream, flow);
  const hungUp = tasks.guard(() => fail("the client hung up during the handshake"));
  carrier.on("error", tasks.guard((error: Error) => fail(explain(error))));
  carrier.once("end", hungUp).once("close", hungUp);
  const late = setTimeout(
    tasks.guard(() => fail(`no handshake in ${formatDuration(HANDSHAKE_TIMEOUT)}`)),
    HANDSHAKE_TIMEOUT,
  );
  const stop = tasks.guard(() => fail("server closed"));
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  try {
    // A server for one connection: so each has the certificate of the moment, and its own faults.
    createServer(asked, resolve).on("tlsClientError", judge).emit("connection", carrier);
    const tls = await promise;
    stream.handOver();
    return tls;
  } catch (error) {
    carrier.destroy();
    await stream.giveUp(error instanceof HandshakeError ? error.failure.alert : undefined);
    throw error;
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", stop);
  }
}

/** A handshake that failed; its message is for people. */
class HandshakeError extends Error {
  readonly failure: HandshakeFailure;

  constructor(failure: HandshakeFailure, options?: ErrorOptions) {
    super(failure.reason, options);
    this.failure = failure;
  }
}

function sessionOf(tls: TLSSocket, { clientCa }: TlsServerOptions): TlsServerSession {
  if (clientCa !== undefined && !tls.authorized) throw new Error(distrust(tls));
  const { subject } = clientCa === undefined ? {} : tls.getPeerCertificate() ?? {};
  return {
    protocol: tls.getProtocol() ?? "unknown",
    alpn: tls.alpnProtocol || undefined,
    subject: subject &&
      Object.entries(subject).map(([name, value]) => `${name}=${value}`).join(", "),
  };
}

/** Why the client's certificate is not accepted. */
function distrust(tls: TLSSocket): string {
  const fault = String(tls.authorizationError);
  const shown = tls.getPeerCertificate()?.subject !== undefined;
  if (!shown) return "the client showed no certificate";
  return `no authority of tls-client-ca vouches for the client's certificate (${fault}); ` +
    "it also has to be X.509 version 3";
}
