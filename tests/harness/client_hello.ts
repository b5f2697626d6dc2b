/**
 * ClientHellos, byte by byte.
 *
 * @module
 */
import { bytesOf } from "./bytes.ts";

/** A handshake message: the ClientHello of TLS 1.2 with this server name, padded to a length. */
export function clientHello(serverName: string | undefined, { padding = 0 } = {}): Uint8Array {
  const name = bytesOf(serverName ?? "");
  const extensions = [
    ...serverName === undefined ? [] : [
      0,
      0,
      ...uint16(name.length + 5),
      ...uint16(name.length + 3),
      0,
      ...uint16(name.length),
      ...name,
    ],
    ...padding === 0 ? [] : [0, 21, ...uint16(padding), ...Array(padding).fill(0)],
  ];
  const body = [
    ...[3, 3, ...Array(32).fill(7), 0, 0, 2, 0xc0, 0x2b, 1, 0],
    ...[...uint16(extensions.length), ...extensions],
  ];
  return Uint8Array.of(1, body.length >> 16, ...uint16(body.length & 0xffff), ...body);
}

/** The message in records with fragments of this size. */
export function inRecords(message: Uint8Array, size = 16 * 1024): Uint8Array {
  const records: number[] = [];
  for (let at = 0; at < message.length; at += size) {
    const fragment = message.subarray(at, at + size);
    records.push(0x16, 3, 1, ...uint16(fragment.length), ...fragment);
  }
  return Uint8Array.from(records);
}

function uint16(number: number): [number, number] {
  return [number >> 8, number & 255];
}
