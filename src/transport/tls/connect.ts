/**
 * TLS from the client's side, over whatever carries bytes: a TCP connection, a Unix socket, a proxy's tunnel.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { concat } from "@std/bytes/concat";
import { isIP, withoutZone } from "../../endpoint/address.ts";
import { type ByteStream, wrap } from "../stream.ts";
import { duplexOf, FlowControl, StreamSocket } from "./node_stream.ts";
import { explainHandshake, tlsFault } from "./errors.ts";
import { readServerFlight } from "./server_flight.ts";
import { type Certificate, certificateOf, distrust } from "./certificate.ts";

/** Whom to trust, and who we are. Certificates and keys are PEM texts. */
export interface TlsClientOptions {
  /** The name or address that the server's certificate has to hold for. */
  readonly serverName: string;
  /** The authorities to trust instead of the usual ones. */
  readonly ca?: string | undefined;
  /** SHA-256 fingerprints in lower-case hex: a certificate that has one of them is trusted, no other is. */
  readonly pins?: readonly string[];
  /** Whether to trust anyone. */
  readonly insecure?: boolean;
  /** Our certificate. */
  readonly cert?: string;
  /** Its key. */
  readonly key?: string;
  /** The application protocols that we speak, the best first. */
  readonly alpn?: readonly string[];
}

/** What was agreed. */
export interface TlsSession {
  /** `TLSv1.3` */
  readonly protocol: string;
  /** The cipher suite. */
  readonly cipher: string;
  /** The application protocol, where one was agreed. */
  readonly alpn: string | undefined;
  /** What the server showed. */
  readonly certificate: Certificate;
  /** Why it is trusted. */
  readonly trust: "authority" | "pin" | "nothing";
}

/** The server is not who it should be; trying again would not help. */
export class TrustError extends Error {
  /** Tells it from faults of the network. */
  override readonly name = "TrustError";
}

/**
 * Shakes hands. The socket is taken over: closing the one returned closes it, and so does a failure. Not one
 * byte of ours is sent before the server's certificate has been judged.
 *
 * @throws {TrustError} which says what is wrong with the certificate
 * @throws {Error} which says why there was no handshake
 */
export async function connectTls(
  socket: ByteStream,
  options: TlsClientOptions,
): Promise<{ socket: ByteStream; session: TlsSession }> {
  const { serverName, ca, cert, key, alpn = [] } = options;
  const valve = new FlowControl();
  const { stream, received, handOver } = remembering(socket);
  const carrier = duplexOf(stream, valve);
  const asked: ConnectionOptions & { allowHalfOpen: boolean } = {
    socket: carrier,
    // RFC 6066 section 3: an address is no server name, but the certificate has to hold for it all the same.
    ...isIP(serverName) ? { host: withoutZone(serverName) } : { servername: serverName },
    ...ca === undefined ? {} : { ca },
    ...cert === undefined || key === undefined ? {} : { cert, key },
    ...alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] },
    allowHalfOpen: true,
    // The certificate is judged below, where the verdict can be told in words.
    rejectUnauthorized: false,
  };
  const tls = connect(asked);
  try {
    await handshake(tls, carrier).catch((error) => {
      const flight = readServerFlight(received());
      throw new Error(`no TLS: ${explainHandshake(error, { flight, hasCertificate: !!cert })}`, {
        cause: error,
      });
    });
    handOver();
    const trust = verify(tls, options);
    return {
      socket: new StreamSocket(tls, { under: socket, valve, tell: tlsFault }),
      session: sessionOf(tls, trust),
    };
  } catch (error) {
    tls.destroy();
    throw error;
  }
}

/** The most bytes of a server's first flight that are remembered. */
const REMEMBERED = 64 * 1024;

/** The socket, with what comes remembered until it is handed over. */
function remembering(
  socket: ByteStream,
): { stream: ByteStream; received(): Uint8Array; handOver(): void } {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = wrap(socket, {
    async read(into) {
      const count = await socket.read(into);
      if (count !== null && length < REMEMBERED) {
        chunks.push(into.slice(0, count));
        length += count;
      }
      return count;
    },
  });
  return {
    stream,
    received: () => concat(chunks),
    handOver() {
      chunks.length = 0;
      stream.read = (into) => socket.read(into);
    },
  };
}

async function handshake(tls: TLSSocket, carrier: Duplex): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  tls.once("secureConnect", resolve);
  tls.on("error", reject);
  const hungUp = () => reject(new Error("the other end hung up during the handshake"));
  tls.once("close", hungUp);
  carrier.once("end", hungUp);
  await promise;
}

function verify(
  tls: TLSSocket,
  { serverName, pins = [], insecure = false }: TlsClientOptions,
): TlsSession["trust"] {
  if (insecure) return "nothing";
  const peer = tls.getPeerCertificate();
  if (pins.length > 0) {
    const { fingerprint } = certificateOf(peer);
    if (pins.includes(fingerprint)) return "pin";
    throw new TrustError(`the certificate is not the pinned one: its SHA-256 is ${fingerprint}`);
  }
  const fault = tls.authorized ? undefined : String(tls.authorizationError);
  const reason = distrust(tls.getPeerCertificate(true), { serverName, fault });
  if (reason !== undefined) throw new TrustError(reason);
  return "authority";
}

function sessionOf(tls: TLSSocket, trust: TlsSession["trust"]): TlsSession {
  return {
    protocol: tls.getProtocol() ?? "unknown",
    cipher: tls.getCipher().name,
    alpn: tls.alpnProtocol || undefined,
    certificate: certificateOf(tls.getPeerCertificate()),
    trust,
  };
}
