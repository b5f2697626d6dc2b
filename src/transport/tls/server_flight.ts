/**
 * Parses the unencrypted part of a server's first flight (RFC 5246, section 7.4; RFC 8446, section
 * 4), to explain alerts.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";

/** What the server has sent. */
export interface ServerFlight {
  /** Whether it sent a ServerHello: version and cipher were negotiated. */
  readonly hasChosen: boolean;
  /** Whether it requested a client certificate; in TLS 1.3 this is encrypted. */
  readonly asksForCertificate: boolean;
}

const HANDSHAKE_RECORD = 0x16;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
const MESSAGE = { serverHello: 2, certificateRequest: 13 } as const;

/** Parses the first bytes of a server. */
export function readServerFlight(bytes: Uint8Array): ServerFlight {
  const kinds = new Set(messageKinds(handshakeBytes(bytes)));
  return {
    hasChosen: kinds.has(MESSAGE.serverHello),
    asksForCertificate: kinds.has(MESSAGE.certificateRequest),
  };
}

/** The payload of the handshake records at the start of the bytes. */
function handshakeBytes(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; bytes[at] === HANDSHAKE_RECORD && at + RECORD_HEADER <= bytes.length;) {
    const start = at + RECORD_HEADER;
    at = start + (bytes[at + 3]! << 8 | bytes[at + 4]!);
    parts.push(bytes.subarray(start, at));
  }
  return concat(parts);
}

function* messageKinds(bytes: Uint8Array): Generator<number> {
  for (let at = 0; at + MESSAGE_HEADER <= bytes.length;) {
    yield bytes[at]!;
    const length = bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!;
    at += MESSAGE_HEADER + length;
  }
}
