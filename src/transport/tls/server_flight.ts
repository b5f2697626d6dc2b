/**
 * What a server sent while TLS was agreed on, as far as it is not encrypted (RFC 5246, section 7.4; RFC 8446, section
 * 4): it tells what an alert without words means.
 *
 * @module
 */

import { concat } from "@std/bytes/concat";

/** What the server has said so far. */
export interface ServerFlight {
  /** Whether it chose a version and a cipher: then both ends have one in common. */
  readonly hasChosen: boolean;
  /** Whether it asks for a certificate of ours; in TLS 1.3 that is encrypted. */
  readonly asksForCertificate: boolean;
}

const HANDSHAKE_RECORD = 0x16;
const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
const MESSAGE = { serverHello: 2, certificateRequest: 13 } as const;

/** Reads the first bytes that a server sent. */
export function readServerFlight(bytes: Uint8Array): ServerFlight {
  const kinds = new Set(messageKinds(handshakeBytes(bytes)));
  return {
    hasChosen: kinds.has(MESSAGE.serverHello),
    asksForCertificate: kinds.has(MESSAGE.certificateRequest),
  };
}

/** What the handshake records carry that the bytes begin with. */
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
