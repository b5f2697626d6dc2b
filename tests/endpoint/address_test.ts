import { assertEquals } from "@std/assert";
import {
  canonicalHost,
  formatAddress,
  isHost,
  isIPv4,
  splitHostPort,
} from "../../src/endpoint/address.ts";

Deno.test("an address is formatted as usual, IPv6 in brackets", () => {
  assertEquals(formatAddress({ hostname: "127.0.0.1", port: 80 }), "127.0.0.1:80");
  assertEquals(formatAddress({ hostname: "::1", port: 80 }), "[::1]:80");
});

Deno.test("an IPv4-mapped IPv6 address is formatted as IPv4", () => {
  assertEquals(canonicalHost("::ffff:192.0.2.1"), "192.0.2.1");
  assertEquals(canonicalHost("::1"), "::1");
});

Deno.test("host and port are split at the last colon, and only IPv6 needs brackets", () => {
  assertEquals(splitHostPort("a.b:80"), { host: "a.b", port: "80" });
  assertEquals(splitHostPort(":80"), { host: "", port: "80" });
  assertEquals(splitHostPort("[::1]:80"), { host: "::1", port: "80" });
  assertEquals(splitHostPort("::1:80"), undefined);
  assertEquals(splitHostPort("80"), undefined);
});

Deno.test("hosts are IPv4 addresses, IPv6 addresses and names; what only resembles one is refused", () => {
  const hosts = [
    "localhost",
    "a-b.example.org",
    "x_y",
    "127.0.0.1",
    "::1",
    "fe80::1%eth0",
    "example.org.",
  ];
  assertEquals(hosts.filter((host) => !isHost(host)), []);
  const others = [
    "",
    "a b",
    "-a",
    "a..b",
    "1.2.3",
    "256.1.1.1",
    ":::",
    "a/b",
    "a\n",
    "x".repeat(64),
  ];
  assertEquals(others.filter(isHost), []);
});

Deno.test("an IPv4 address with leading zeros is refused, because some programs read them as octal", () => {
  assertEquals(isIPv4("010.0.0.1"), false);
  assertEquals(isIPv4("10.0.0.1"), true);
});
