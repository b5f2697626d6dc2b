/**
 * Records the steps of a connection, from the name look-up to the end.
 *
 * @module
 */
import { type Certificate, dayOf } from "../transport/tls/certificate.ts";
import { formatProxy } from "../endpoint/proxy.ts";
import type { DialStep } from "../transport/dial.ts";
import type { TlsSession } from "../transport/tls/connect.ts";
import { formatDuration, formatSize, roundMilliseconds } from "../options/quantity.ts";
import { formatAddress } from "../endpoint/address.ts";
import { printableJson } from "../terminal/printable.ts";
import type { Connection } from "../connection/connection.ts";

/** Logs each step as a line, and collects all in a JSON object. */
export class Timeline {
  readonly #target: string;
  readonly #log: (line: string) => void;
  readonly #object: Record<string, unknown> = {};
  readonly #attempts: Record<string, unknown>[] = [];
  #session: TlsSession | undefined;

  /** `log` gets each step as a line. */
  constructor(target: string, log: (line: string) => void) {
    this.#target = target;
    this.#log = log;
  }

  /** The TLS session, as notes of its connection. */
  get tlsNotes(): Readonly<Record<string, string>> {
    if (!this.#session) return {};
    const { protocol, alpn } = this.#session;
    return { tls: protocol, ...alpn ? { alpn } : {} };
  }

  /** Records a step of connecting. */
  step(step: DialStep): void {
    for (const line of describe(step)) this.#log(line);
    switch (step.step) {
      case "trying":
        break;
      case "failed":
      case "connected":
        this.#attempts.push({
          address: formatAddress(step.address),
          ...step.step === "failed" ? { reason: step.reason } : { connected: true },
          ms: roundMilliseconds(step.elapsed),
        });
        break;
      default:
        if (step.step === "secured") this.#session = step.session;
        Object.assign(this.#object, objectOf(step));
    }
  }

  /** Records the first received byte, `elapsed` milliseconds after the connection was established. */
  firstByte(elapsed: number): void {
    this.#log(`first byte after ${formatDuration(elapsed)}`);
    this.#object.first_byte_ms = roundMilliseconds(elapsed);
  }

  /** Records the end of the connection, or of the session over UDP. */
  ended(
    connection:
      & Pick<Connection, "bytesOut" | "bytesIn" | "openedAt" | "reason">
      & Partial<Pick<Connection, "peerEnded">>
      & { readonly datagramsIn?: number; readonly datagramsOut?: number },
  ): void {
    const { bytesOut, bytesIn, openedAt, datagramsIn, datagramsOut } = connection;
    const reason = connection.reason?.replace(/^error: /, "") || "closed by us";
    const by = connection.peerEnded ? "closed by the peer" : reason;
    const duration = performance.now() - openedAt;
    this.#log(
      `${formatSize(bytesOut)} sent, ${formatSize(bytesIn)} received; ${by} after ` +
        formatDuration(duration),
    );
    Object.assign(this.#object, {
      bytes_out: bytesOut,
      bytes_in: bytesIn,
      ...datagramsIn === undefined
        ? {}
        : { datagrams_out: datagramsOut, datagrams_in: datagramsIn },
      ended: by,
      duration_ms: roundMilliseconds(duration),
    });
  }

  /** Records an error. */
  failed(reason: string): void {
    this.#object.error = reason;
  }

  /** Formats everything as one line of JSON. */
  json(): string {
    return printableJson({
      target: this.#target,
      ...this.#attempts.length > 0 ? { attempts: this.#attempts } : {},
      ...this.#object,
    });
  }
}

/** What the report says of a step. */
function objectOf(
  step: Exclude<DialStep, { step: "trying" | "failed" | "connected" }>,
): Record<string, unknown> {
  const ms = roundMilliseconds(step.elapsed);
  switch (step.step) {
    case "resolved":
      return { resolved: { hosts: step.hosts, from: step.from, ms } };
    case "proxied":
      return { proxy: { proxy: formatProxy(step.proxy), ms } };
    case "starttls":
      return { starttls: { protocol: step.protocol, ms } };
    case "secured":
      return { tls: { ...sessionObject(step.session), ms } };
    case "upgraded":
      return { websocket: { ...step.upgrade, ms } };
  }
}

function describe(step: DialStep): string[] {
  switch (step.step) {
    case "resolved":
      return [
        `resolved to ${step.hosts.join(", ")} ` +
        (step.from === "system" ? `in ${formatDuration(step.elapsed)}` : `(${step.from})`),
      ];
    case "trying":
      return [`${formatAddress(step.address)}: trying`];
    case "failed":
      return [
        `${formatAddress(step.address)}: ${step.reason} after ${formatDuration(step.elapsed)}`,
      ];
    case "connected":
      return [`${formatAddress(step.address)}: connected in ${formatDuration(step.elapsed)}`];
    case "proxied":
      return [`through the ${formatProxy(step.proxy)} in ${formatDuration(step.elapsed)}`];
    case "starttls":
      return [
        ...step.greeting ? [`greeting ${greetingText(step.greeting)}`] : [],
        `STARTTLS of ${step.protocol} in ${formatDuration(step.elapsed)}`,
      ];
    case "secured":
      return [
        `${step.session.protocol} with ${step.session.cipher}` +
        (step.session.alpn ? ` for ${step.session.alpn}` : "") +
        ` in ${formatDuration(step.elapsed)}`,
        ...certificateLines(step.session.certificate),
      ];
    case "upgraded":
      return [
        `WebSocket at ${step.upgrade.target}` +
        (step.upgrade.subprotocol ? ` for ${step.upgrade.subprotocol}` : "") +
        ` in ${formatDuration(step.elapsed)}`,
      ];
  }
}

/** The most bytes of a greeting that are shown. */
const MAX_GREETING = 200;

function greetingText(greeting: Uint8Array): string {
  return new TextDecoder().decode(greeting.subarray(0, MAX_GREETING)).trim().replace(/\s+/g, " ");
}

function certificateLines(certificate: Certificate): string[] {
  const { subject, issuer, names, validFrom, validTo, fingerprint } = certificate;
  return [
    `certificate of ${subject}${names ? ` for ${names}` : ""}`,
    `signed by ${issuer}, valid from ${dayOf(validFrom)} to ${dayOf(validTo)}`,
    `SHA-256 ${fingerprint}`,
  ];
}

function sessionObject(
  { protocol, cipher, alpn, certificate, trust }: TlsSession,
): Record<string, unknown> {
  return {
    protocol,
    cipher,
    ...alpn ? { alpn } : {},
    subject: certificate.subject,
    issuer: certificate.issuer,
    names: certificate.names,
    valid_from: certificate.validFrom,
    valid_to: certificate.validTo,
    sha256: certificate.fingerprint,
    trusted_by: trust,
  };
}
