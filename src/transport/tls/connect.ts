/**
 * TLS for clients, over any stream: a TCP connection, a Unix socket, a proxy's tunnel.
 *
 * @module
 */
import type { Duplex } from "node:stream";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { concat } from "@std/bytes/concat";
import { isIP, withoutZone } from "../../endpoint/address.ts";
import type { StartTlsProtocol } from "../starttls/protocols.ts";
import { type ByteStream, wrap } from "../stream.ts";
import { FlowControl } from "./flow_control.ts";
import { duplexOf, StreamSocket } from "./node_stream.ts";
import { explainHandshake, tlsFault } from "./errors.ts";
import { readServerFlight } from "./server_flight.ts";
import { type Certificate, certificateOf, distrust } from "./certificate.ts";

/** Options of a TLS client. Certificates and keys are PEM texts. */
export interface TlsClientOptions {
  /** The name or address that the server's certificate must match. */
  readonly serverName: string;
  /** The authorities to trust instead of the default ones. */
  readonly ca?: string | undefined;
  /** SHA-256 fingerprints in lower-case hex: only certificates with one of them are trusted. */
  readonly pins?: readonly string[];
  /** Whether to trust any certificate. */
  readonly insecure?: boolean;
  /** The client's certificate. */
  readonly cert?: string;
  /** Its key. */
  readonly key?: string;
  /** The ALPN protocols, in order of preference. */
  readonly alpn?: readonly string[];
  /** The protocol in which the server is asked to begin TLS; without it, TLS begins at once. */
  readonly starttls?: StartTlsProtocol | undefined;
  /** What the names of these options start with in errors; `--tls` by default. */
  readonly prefix?: string;
}

/** What was negotiated. */
export interface TlsSession {
  /** The version: `TLSv1.3`. */
  readonly protocol: string;
  /** The cipher suite. */
  readonly cipher: string;
  /** The ALPN protocol, if one was negotiated. */
  readonly alpn: string | undefined;
  /** The server's certificate. */
  readonly certificate: Certificate;
  /** The name that was sent to the server (SNI); none for an address. */
  readonly serverName: string | undefined;
  /** Why the certificate is trusted. */
  readonly trust: "authority" | "pin" | "nothing";
  /** What is wrong with the certificate where any is accepted; `undefined` if nothing. */
  readonly fault: string | undefined;
}

/** The server's certificate is not trusted. Retrying does not help. */
export class TrustError extends Error {
  /** Distinguishes it from network errors. */
  override readonly name = "TrustError";
}

/**
 * Runs the handshake. It takes over the socket: closing the returned stream closes it, and so does
 * a failure. No application data is sent before the certificate is verified.
 * @throws {TrustError} what is wrong with the certificate
 * @throws {Error} why the handshake failed
 */
export async function connectTls(
  socket: ByteStream,
  options: TlsClientOptions,
): Promise<{ socket: ByteStream; session: TlsSession }> {
  const { serverName, ca, cert, key, alpn = [], prefix = "--tls" } = options;
  const flowControl = new FlowControl();
  const { stream, received, handOver } = recording(socket);
  const carrier = duplexOf(stream, flowControl);
  const nodeOptions: ConnectionOptions & { allowHalfOpen: boolean } = {
    socket: carrier,
    // An IP address is not sent as a server name (RFC 6066, section 3), but the certificate must
    // match it.
    ...isIP(serverName) ? { host: withoutZone(serverName) } : { servername: serverName },
    ...ca === undefined ? {} : { ca },
    ...cert === undefined || key === undefined ? {} : { cert, key },
    ...alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] },
    allowHalfOpen: true,
    // Verified below, to report the reason.
    rejectUnauthorized: false,
  };
  const tls = connect(nodeOptions);
  try {
    await handshake(tls, carrier).catch((error) => {
      const flight = readServerFlight(received());
      const how = { flight, hasCertificate: !!cert, certOption: `${prefix}-cert` };
      throw new Error(`no TLS: ${explainHandshake(error, how)}`, { cause: error });
    });
    handOver();
    const session = sessionOf(tls, { ...options, prefix });
    const explainError = (error: Error) => tlsFault(error, `${prefix}-cert`);
    return { socket: new StreamSocket(tls, { under: socket, flowControl, explainError }), session };
  } catch (error) {
    tls.destroy();
    throw error;
  }
}

/** The maximum number of recorded bytes of a server's first flight. */
const MAX_RECORDED = 64 * 1024;

/** Records what the server sends until the handshake is over. */
function recording(
  socket: ByteStream,
): { stream: ByteStream; received(): Uint8Array; handOver(): void } {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = wrap(socket, {
    async read(into) {
      const count = await socket.read(into);
      if (count !== null && length < MAX_RECORDED) {
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
  const onClose = () => reject(new Error("the peer disconnected during the handshake"));
  tls.once("close", onClose);
  carrier.once("end", onClose);
  await promise;
}

type Verified = Pick<TlsSession, "trust" | "fault">;

/**
 * Verifies the server's certificate.
 * @throws {TrustError} what is wrong with it
 */
function verify(tls: TLSSocket, options: TlsClientOptions & { prefix: string }): Verified {
  const { pins = [], insecure = false } = options;
  const fault = faultOf(tls, options);
  if (insecure) return { trust: "nothing", fault };
  if (fault !== undefined) throw new TrustError(fault);
  return { trust: pins.length > 0 ? "pin" : "authority", fault };
}

/** Why the server's certificate is not trusted; `undefined` if it is. */
function faultOf(
  tls: TLSSocket,
  { serverName, pins = [], prefix }: TlsClientOptions & { prefix: string },
): string | undefined {
  if (pins.length > 0) {
    const { fingerprint } = certificateOf(tls.getPeerCertificate());
    if (pins.includes(fingerprint)) return undefined;
    return `the certificate is not the pinned one: its SHA-256 is ${fingerprint}`;
  }
  const fault = tls.authorized ? undefined : String(tls.authorizationError);
  return distrust(tls.getPeerCertificate(true), { serverName, fault, prefix });
}

function sessionOf(
  tls: TLSSocket,
  options: TlsClientOptions & { prefix: string },
): TlsSession {
  const { serverName } = options;
  return {
    ...verify(tls, options),
    protocol: tls.getProtocol() ?? "unknown",
    cipher: tls.getCipher().name,
    alpn: tls.alpnProtocol || undefined,
    serverName: isIP(serverName) ? undefined : serverName,
    certificate: certificateOf(tls.getPeerCertificate()),
  };
}
