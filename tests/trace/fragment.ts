/**
 * Fragments IP datagrams.
 *
 * @module
 */
import { u16, u32 } from "./wire.ts";
import { join } from "./encapsulate.ts";

/** Fragments a datagram, with `size` bytes of payload each, a multiple of eight. */
export function fragmentsOf(ip: Uint8Array, size: number, identification = 77): Uint8Array[] {
  const isVersion4 = ip[0]! >> 4 === 4;
  const header = ip.slice(0, isVersion4 ? 20 : 40);
  const payload = ip.subarray(header.length);
  const fragments: Uint8Array[] = [];
  for (let offset = 0; offset < payload.length; offset += size) {
    const part = payload.subarray(offset, offset + size);
    const hasMore = offset + size < payload.length;
    const own = header.slice();
    if (isVersion4) {
      own.set(u16(20 + part.length), 2);
      own.set(u16(identification), 4);
      own.set(u16((hasMore ? 0x2000 : 0) | offset / 8), 6);
      own.set(checksum(own), 10);
      fragments.push(join(own, part));
    } else {
      own.set(u16(8 + part.length), 4);
      own[6] = 44;
      const fragment = [ip[6]!, 0, ...u16(offset | (hasMore ? 1 : 0)), ...u32(identification)];
      fragments.push(join(own, fragment, part));
    }
  }
  return fragments;
}

function checksum(header: Uint8Array): number[] {
  const view = new DataView(header.buffer.slice(0, 20));
  view.setUint16(10, 0);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += view.getUint16(at);
  return u16(~((sum & 0xffff) + (sum >>> 16)) & 0xffff);
}
