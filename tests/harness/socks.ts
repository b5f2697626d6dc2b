/**
 * SOCKS, byte by byte, for tests.
 *
 * @module
 */
import { isIPv4 } from "../../src/endpoint/address.ts";
import { readFull } from "../../src/transport/proxy/read_full.ts";
import { bytesOf, send } from "./bytes.ts";

/** An address in a message. */
export interface SocksAddress {
  readonly hostname: string;
  readonly port: number;
}

/** The commands of SOCKS 5. */
export const COMMAND = { connect: 1, bind: 2, associate: 3 } as const;

/** Type, address and port. A name stays a name. */
export function addressBytes({ hostname, port }: SocksAddress): number[] {
  const host = isIPv4(hostname)
    ? [1, ...hostname.split(".").map(Number)]
    : [3, hostname.length, ...bytesOf(hostname)];
  return [...host, port >> 8, port & 0xff];
}

/** Agrees on no password, and sends a request. */
export async function ask(
  client: Deno.TcpConn,
  command: number,
  address: SocksAddress,
): Promise<void> {
  await send(client, Uint8Array.of(5, 1, 0));
  await readFull(client, 2);
  await send(client, Uint8Array.of(5, command, 0, ...addressBytes(address)));
}

/** A reply of SOCKS 5 with an IPv4 address. */
export async function reply(
  client: Deno.TcpConn,
): Promise<SocksAddress & { readonly code: number }> {
  const bytes = await readFull(client, 10);
  if (bytes[0] !== 5 || bytes[3] !== 1) throw new Error(`not a reply: ${bytes}`);
  const hostname = bytes.subarray(4, 8).join(".");
  return { code: bytes[1]!, hostname, port: bytes[8]! << 8 | bytes[9]! };
}
