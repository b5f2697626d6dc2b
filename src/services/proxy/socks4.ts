/**
 * SOCKS 4, and SOCKS 4a, which has names, for servers.
 *
 * @module
 */
import { hostOf, ipv4Bytes, nameOf, portBytes, readPort } from "./socks_address.ts";
import { Refusal } from "./refusal.ts";
import type { Authenticator, ProxyProtocol, ProxyRequest } from "./request.ts";

const COMMANDS: Readonly<Record<number, "connect" | "bind">> = { 1: "connect", 2: "bind" };

const REPLY = { granted: 90, rejected: 91 } as const;

/** The most bytes of a user id, and of a name. */
const MAX_TEXT = 255;

/** SOCKS 4 with one client, whose first byte was read. It has no passwords. */
export function socks4(authenticator: Authenticator | undefined): ProxyProtocol {
  return {
    async readRequest(reader) {
      const command = COMMANDS[await reader.byte()];
      const port = await readPort(reader);
      const address = await reader.bytes(4);
      // It is not verified (RFC 1413), so nothing is done with it.
      await reader.toZero(MAX_TEXT);
      const hasName = address[3] !== 0 && address.subarray(0, 3).every((byte) => byte === 0);
      const hostname = hasName ? nameOf(await reader.toZero(MAX_TEXT)) : hostOf(address);
      if (authenticator) {
        throw new Refusal("password needed", "SOCKS 4 has no passwords: use SOCKS 5");
      }
      if (!command) throw new Refusal("not supported", "a command that SOCKS 4 does not have");
      const name = `${hasName ? "socks4a" : "socks4"} ${command}`;
      return { command, name, target: { hostname, port } } satisfies ProxyRequest;
    },
    granted: (_, address) =>
      Uint8Array.of(0, REPLY.granted, ...portBytes(address), ...ipv4Bytes(address)),
    refused: () => Uint8Array.of(0, REPLY.rejected, 0, 0, 0, 0, 0, 0),
  };
}
