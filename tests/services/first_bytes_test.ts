/** The protocol of a client by its first bytes, however few have come. */
import { assertEquals } from "@std/assert";
import { protocolOf } from "../../src/services/forward/first_bytes.ts";
import { bytesOf, noise } from "../harness/bytes.ts";
import { clientHello, inRecords } from "../harness/client_hello.ts";

const HELLO = inRecords(clientHello("a.test"), 1);

/** What clients begin with, and how many bytes tell the protocol. */
const CLIENTS: readonly (readonly [string, Uint8Array, number])[] = [
  ["ssh", bytesOf("SSH-2.0-OpenSSH_9.2\r\n"), 4],
  ["tls", HELLO, 6],
  ["http", bytesOf("GET / HTTP/1.1\r\n"), 4],
  ["http", bytesOf("OPTIONS * HTTP/1.1\r\n"), 8],
  ["http", bytesOf("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 4],
  ["socks", Uint8Array.of(5, 1, 0), 2],
  ["socks", Uint8Array.of(4, 1, 0, 80, 127, 0, 0, 1, 0), 2],
  ["else", bytesOf("hello\n"), 1],
  ["else", bytesOf("SSL"), 3],
  ["else", bytesOf("GETS / HTTP"), 4],
  ["else", bytesOf("get / HTTP"), 1],
  ["else", Uint8Array.of(0x16, 2, 0), 2],
  // A ServerHello is no client's.
  ["else", Uint8Array.of(0x16, 3, 3, 0, 80, 2), 6],
  ["else", Uint8Array.of(5, 0), 2],
  ["else", Uint8Array.of(4, 3), 2],
  ["else", Uint8Array.of(0, 0, 0, 8), 1],
];

for (const [protocol, bytes, needed] of CLIENTS) {
  const text = JSON.stringify(String.fromCharCode(...bytes.subarray(0, 12)));
  Deno.test(`${text} is ${protocol} from byte ${needed} on`, () => {
    for (let length = 0; length <= bytes.length; length++) {
      const known = protocolOf(bytes.subarray(0, length));
      assertEquals(known, length < needed ? undefined : protocol, `${length} bytes`);
    }
  });
}

Deno.test("any bytes are of some protocol once there are enough", () => {
  for (let seed = 1; seed < 2_000; seed++) {
    assertEquals(typeof protocolOf(noise(16, seed)), "string");
  }
});
