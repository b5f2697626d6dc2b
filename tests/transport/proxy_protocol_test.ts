import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  type ProxiedEnds,
  proxyHeader,
  ProxyHeaderError,
  ProxyHeaderReader,
  type ReadHeader,
} from "../../src/transport/proxy_protocol.ts";
import { bytesOf, noise } from "../harness/bytes.ts";

const SIGNATURE = "0d0a0d0a000d0a515549540a";

const V4: ProxiedEnds = {
  source: { hostname: "192.0.2.1", port: 123 },
  destination: { hostname: "192.0.2.2", port: 5678 },
};
const V6: ProxiedEnds = {
  source: { hostname: "2001:db8::1", port: 65535 },
  destination: { hostname: "::1", port: 0 },
};
const V4_ADDRESSES = "c0000201c0000202007b162e";

function hex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

function binary(rest: string): Uint8Array {
  return hex(SIGNATURE + rest.replaceAll(" ", ""));
}

function read(bytes: Uint8Array): ReadHeader | undefined {
  return new ProxyHeaderReader().push(bytes);
}

function readInPieces(bytes: Uint8Array, size: number): ReadHeader | undefined {
  const reader = new ProxyHeaderReader();
  for (let at = 0; at < bytes.length; at += size) {
    const header = reader.push(bytes.subarray(at, at + size));
    if (header) {
      const rest = new Uint8Array([...header.rest, ...bytes.subarray(at + size)]);
      return { ends: header.ends, rest };
    }
  }
}

const VALID: Readonly<Record<string, { bytes: Uint8Array; ends: ProxiedEnds | undefined }>> = {
  "the text format with IPv4": {
    bytes: bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n"),
    ends: V4,
  },
  "the text format with IPv6": {
    bytes: bytesOf("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n"),
    ends: V6,
  },
  "the text format with the longest IPv6 addresses": {
    bytes: bytesOf(
      `PROXY TCP6 ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}fffe 65535 65535\r\n`,
    ),
    ends: {
      source: { hostname: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", port: 65535 },
      destination: { hostname: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", port: 65535 },
    },
  },
  "an uncompressed IPv6 address": {
    bytes: bytesOf("PROXY TCP6 2001:0DB8:0:0:0:0:0:1 0:0:0:0:0:0:0:1 65535 0\r\n"),
    ends: V6,
  },
  "the text format with v4-mapped addresses": {
    bytes: bytesOf("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 123 5678\r\n"),
    ends: V4,
  },
  "the text format with v4-mapped addresses in hex": {
    bytes: bytesOf("PROXY TCP6 ::ffff:c000:201 ::ffff:c000:202 123 5678\r\n"),
    ends: V4,
  },
  "UNKNOWN alone": { bytes: bytesOf("PROXY UNKNOWN\r\n"), ends: undefined },
  "UNKNOWN with the longest addresses": {
    bytes: bytesOf(
      `PROXY UNKNOWN ${"ffff:".repeat(7)}ffff ${"ffff:".repeat(7)}ffff 65535 65535\r\n`,
    ),
    ends: undefined,
  },
  "the binary format with IPv4": { bytes: binary(`21 11 000c ${V4_ADDRESSES}`), ends: V4 },
  "the binary format with IPv6": {
    bytes: binary(`21 21 0024 20010db8${"00".repeat(11)}01 ${"00".repeat(15)}01 ffff 0000`),
    ends: V6,
  },
  "the binary format with an extension": {
    bytes: binary(`21 11 0013 ${V4_ADDRESSES} 04 0004 00000000`),
    ends: V4,
  },
  "the binary format with the longest extension": {
    bytes: binary(`21 11 ffff ${V4_ADDRESSES} 04 fff0 ${"00".repeat(0xfff0)}`),
    ends: V4,
  },
  "v4-mapped addresses in the binary format": {
    bytes: binary(
      `21 21 0024 ${"00".repeat(10)}ffffc0000201 ${"00".repeat(10)}ffffc0000202 007b 162e`,
    ),
    ends: V4,
  },
  "LOCAL without addresses": { bytes: binary("20 00 0000"), ends: undefined },
  "LOCAL with addresses": { bytes: binary(`20 11 000c ${V4_ADDRESSES}`), ends: undefined },
  "an unspecified family": { bytes: binary("21 00 0004 01020304"), ends: undefined },
  "a Unix client": { bytes: binary(`21 31 00d8 ${"00".repeat(216)}`), ends: undefined },
};

for (const [name, { bytes, ends }] of Object.entries(VALID)) {
  Deno.test(`A PROXY header is parsed: ${name}`, () => {
    assertEquals(read(bytes)?.ends, ends);
  });

  Deno.test(`A PROXY header in any chunks is parsed to the same result: ${name}`, () => {
    const client = bytesOf("PROXY first words of the client\r\n");
    const all = new Uint8Array([...bytes, ...client]);
    const sizes = bytes.length > 1000 ? [251, 40_000, all.length] : [1, 2, 3, 5, 7, 16, 17, 50];
    for (const size of sizes) {
      const header = readInPieces(all, size);
      assertEquals(header?.ends, ends);
      assertEquals(header?.rest, client, `no byte behind the header is lost, split by ${size}`);
    }
  });

  Deno.test(`A truncated PROXY header is never parsed as a complete one: ${name}`, () => {
    const step = Math.ceil(bytes.length / 300);
    for (let length = 0; length < bytes.length; length += step) {
      assertEquals(read(bytes.subarray(0, length)), undefined);
    }
  });
}

const REFUSED: Readonly<Record<string, Uint8Array>> = {
  "a request without a header": bytesOf("GET / HTTP/1.0\r\n\r\n"),
  "the keyword in lower case": bytesOf("proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
  "a leading space": bytesOf(" PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
  "a bare line feed": bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"),
  "a bare carriage return": bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rX"),
  "two spaces": bytesOf("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"),
  "two spaces after the keyword": bytesOf("PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
  "a trailing space": bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"),
  "a tab instead of a space": bytesOf("PROXY TCP4\t192.0.2.1 192.0.2.2 1 2\r\n"),
  "no family": bytesOf("PROXY \r\n"),
  "no fields": bytesOf("PROXY TCP4\r\n"),
  "a missing port": bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"),
  "an extra field": bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"),
  "an unknown family": bytesOf("PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"),
  "IPv6 addresses with family TCP4": bytesOf("PROXY TCP4 ::1 ::2 1 2\r\n"),
  "IPv4 addresses with family TCP6": bytesOf("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"),
  "addresses of different families": bytesOf("PROXY TCP4 192.0.2.1 ::2 1 2\r\n"),
  "an IPv6 address with a zone": bytesOf("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"),
  "an IPv6 address in brackets": bytesOf("PROXY TCP6 [::1] ::1 1 2\r\n"),
  "a host name instead of an address": bytesOf("PROXY TCP4 localhost 192.0.2.2 1 2\r\n"),
  "a leading zero in an address": bytesOf("PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n"),
  "an address of three numbers": bytesOf("PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n"),
  "a number over 255": bytesOf("PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"),
  "a port over 65535": bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n"),
  "a port with a leading zero": bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"),
  "a port with a sign": bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n"),
  "an empty port": bytesOf("PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n"),
  "a line of 108 bytes": bytesOf(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`),
  "a line without an end": bytesOf(`PROXY UNKNOWN ${"x".repeat(500)}`),
  "a signature with a wrong last byte": hex("0d0a0d0a000d0a515549540b"),
  "version 1 in the binary format": binary("11 11 000c"),
  "version 3": binary("31"),
  "an unknown command": binary("22"),
  "an unknown family in the binary format": binary("21 41"),
  "datagrams": binary("21 12"),
  "a length too small for the addresses": binary("21 11 000b c0000201c0000202007b16"),
  "a length too small for IPv6 addresses": binary(`21 21 000c ${V4_ADDRESSES}`),
  "an extension beyond the length": binary(`21 11 0010 ${V4_ADDRESSES} 04 0002 00`),
  "a truncated extension": binary(`21 11 000e ${V4_ADDRESSES} 04 00`),
};

for (const [name, bytes] of Object.entries(REFUSED)) {
  Deno.test(`A PROXY header is refused: ${name}`, () => {
    assertThrows(() => read(bytes), ProxyHeaderError, "no valid PROXY header: ");
    assertThrows(() => readInPieces(bytes, 1), ProxyHeaderError);
  });
}

Deno.test("The parser of PROXY headers consumes no byte that cannot be part of one", () => {
  assertThrows(() => read(bytesOf("PA")), ProxyHeaderError);
  assertThrows(() => read(hex("0d0a0d0d")), ProxyHeaderError);
});

Deno.test("Random bytes instead of a PROXY header cause no error but a refusal", () => {
  const starts = [bytesOf(""), bytesOf("PROXY "), bytesOf("PROXY TCP4 "), binary(""), binary("21")];
  for (let seed = 1; seed <= 2_000; seed++) {
    const garbage = noise(80, seed * 2_654_435_761);
    const bytes = new Uint8Array([...starts[seed % starts.length]!, ...garbage]);
    try {
      readInPieces(bytes, 1 + seed % 40);
    } catch (error) {
      assertInstanceOf(error, ProxyHeaderError);
    }
  }
});

Deno.test("One wrong byte in a valid PROXY header causes no error but a refusal", () => {
  for (const { bytes } of Object.values(VALID)) {
    for (let at = 0; at < Math.min(bytes.length, 120); at++) {
      const broken = bytes.slice();
      broken[at] = broken[at]! ^ (1 << at % 8);
      try {
        read(broken);
      } catch (error) {
        assertInstanceOf(error, ProxyHeaderError);
      }
    }
  }
});

for (const version of ["v1", "v2"] as const) {
  Deno.test(`A PROXY header written by outlet is parsed by outlet: ${version}`, () => {
    for (const ends of [V4, V6]) {
      assertEquals(read(proxyHeader(version, ends)), { ends, rest: new Uint8Array(0) });
    }
  });

  Deno.test(`A PROXY header omits addresses that it cannot represent: ${version}`, () => {
    const mixed = { source: V4.source, destination: V6.destination };
    const unix = { source: { path: "" }, destination: { path: "/run/echo.sock" } };
    for (const ends of [mixed, unix]) {
      assertEquals(read(proxyHeader(version, ends))?.ends, undefined);
    }
  });
}

Deno.test("A PROXY header is written as in the specification's examples", () => {
  assertEquals(proxyHeader("v2", V4), new Uint8Array(binary(`21 11 000c ${V4_ADDRESSES}`)));
  assertEquals(
    new TextDecoder().decode(proxyHeader("v1", V4)),
    "PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n",
  );
});
