/**
 * TLS from the server's side, over a socket that was accepted and perhaps announced by a proxy. It goes
 * through `node:tls`, because Deno can neither ask for client certificates nor begin TLS on a server's
 * socket (denoland/deno#18451).
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { createServer, type TLSSocket } from "node:tls";
import { formatDuration } from "../../options/quantity.ts";
import type { ByteStream } from "../stream.ts";
import type { KeyPair } from "./key_pair.ts";
import { duplexOf, FlowControl, StreamSocket } from "./node_stream.ts";
import { explainTls, tlsFault } from "./errors.ts";

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

/**
 * Shakes hands with the client. The socket is taken over: closing the one returned closes it, and so does a
 * failure.
 *
 * @throws {Error} which says why the client is turned away
 */
export async function acceptTls(
  socket: ByteStream,
  options: TlsServerOptions,
): Promise<{ socket: ByteStream; agreement: TlsServerSession }> {
  const valve = new FlowControl();
  const tls = await handshake(duplexOf(socket, valve), options);
  try {
    return {
      agreement: sessionOf(tls, options),
      socket: new StreamSocket(tls, { under: socket, valve, tell: tlsFault }),
    };
  } catch (error) {
    tls.destroy();
    throw error;
  }
}

async function handshake(
  carrier: Duplex,
  { cert, key, clientCa, alpn, signal }: TlsServerOptions,
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
  // A server for one connection: so each has the certificate of the moment, and its own faults.
  const server = createServer(asked, resolve);
  server.on("tlsClientError", (error) => reject(new Error(explainTls(error), { cause: error })));
  carrier.on("error", (error) => reject(new Error(explainTls(error), { cause: error })));
  const hungUp = () => reject(new Error("the client hung up during the handshake"));
  carrier.once("end", hungUp).once("close", hungUp);
  const late = setTimeout(
    () => reject(new Error(`no handshake in ${formatDuration(HANDSHAKE_TIMEOUT)}`)),
    HANDSHAKE_TIMEOUT,
  );
  const stop = () => reject(new Error("server closed"));
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  server.emit("connection", carrier);
  try {
    return await promise;
  } catch (error) {
    carrier.destroy();
    throw error;
  } finally {
    clearTimeout(late);
    signal.removeEventListener("abort", stop);
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
  return `no authority of --tls-client-ca vouches for the client's certificate (${fault}); ` +
    "it also has to be X.509 version 3";
}
