import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../src/options/usage_error.ts";
import { Acl, CIDR } from "../../src/endpoint/acl.ts";
import { peerKey, readIp } from "../../src/endpoint/ip.ts";

function refusal(rules: ConstructorParameters<typeof Acl>[0], host: string): string | undefined {
  return new Acl(rules).refusal(readIp(host));
}

Deno.test("without rules all addresses are allowed", () => {
  assertEquals(refusal({}, "192.0.2.1"), undefined);
  assertEquals(refusal({}, "2001:db8::1"), undefined);
});

Deno.test("with allow rules, all other addresses are refused", () => {
  const allow = ["10.0.0.0/8", "2001:db8::/32"];
  assertEquals(refusal({ allow }, "10.255.255.255"), undefined);
  assertEquals(refusal({ allow }, "2001:db8:ffff::1"), undefined);
  assertEquals(refusal({ allow }, "11.0.0.0"), "not allowed by any rule");
  assertEquals(refusal({ allow }, "2001:db9::"), "not allowed by any rule");
});

Deno.test("a denied address is refused even if it is allowed", () => {
  const rules = { allow: ["10.0.0.0/8"], deny: ["10.1.0.0/16", "10.2.3.4"] };
  assertEquals(refusal(rules, "10.1.2.3"), "denied by rule");
  assertEquals(refusal(rules, "10.2.3.4"), "denied by rule");
  assertEquals(refusal(rules, "10.2.3.5"), undefined);
});

Deno.test("rules for IPv4 do not apply to IPv6, nor the reverse", () => {
  assertEquals(refusal({ deny: ["0.0.0.0/0"] }, "::1"), undefined);
  assertEquals(refusal({ deny: ["::/0"] }, "127.0.0.1"), undefined);
  assertEquals(refusal({ allow: ["::/0"] }, "127.0.0.1"), "not allowed by any rule");
});

Deno.test("rules for IPv4 apply to an IPv4 client of an IPv6 listener", () => {
  assertEquals(refusal({ deny: ["10.0.0.0/8"] }, "::ffff:10.1.2.3"), "denied by rule");
});

Deno.test("a rule for IPv4-mapped addresses applies to IPv4", () => {
  assertEquals(refusal({ deny: ["::ffff:10.0.0.0/104"] }, "10.1.2.3"), "denied by rule");
});

Deno.test("rules ignore the zone of a client's address", () => {
  assertEquals(refusal({ allow: ["fe80::/10"] }, "fe80::1%eth0"), undefined);
});

for (
  const [rule, read] of [
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["127.0.0.1", "127.0.0.1"],
    ["127.0.0.1/32", "127.0.0.1"],
    ["::1/128", "::1"],
    ["2001:0db8:0:0::/32", "2001:db8::/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
  ] as const
) {
  Deno.test(`the rule ${rule} is parsed as ${read}`, () => assertEquals(CIDR.parse(rule), read));
}

for (
  const [rule, message] of [
    ["10.0.0.1/8", "bits are set after the first 8: did you mean 10.0.0.0/8?"],
    ["2001:db8::1/32", "bits are set after the first 32: did you mean 2001:db8::/32?"],
    ["10.0.0.0/33", 'expected 0 to 32 after the slash, not "33"'],
    ["::/129", 'expected 0 to 128 after the slash, not "129"'],
    ["10.0.0.0/08", 'expected 0 to 32 after the slash, not "08"'],
    ["10.0.0.0/", 'expected 0 to 32 after the slash, not ""'],
    ["10.0.0.0/8/8", 'expected 0 to 32 after the slash, not "8/8"'],
    ["010.0.0.1", "a leading zero is ambiguous: some programs read the number as octal"],
    ["fe80::1%eth0", "a rule has no zone: leave out the % and what follows"],
    ["example.org", "expected an address or a network, such as 192.168.0.0/16 or ::1"],
    ["10.0.0", "expected an address or a network, such as 192.168.0.0/16 or ::1"],
    ["", "expected an address or a network, such as 192.168.0.0/16 or ::1"],
  ] as const
) {
  Deno.test(`the rule "${rule}" is refused with a message that says why`, () => {
    assertThrows(() => CIDR.parse(rule), UsageError, message);
  });
}

Deno.test("connections are counted per IPv4 address and per IPv6 /64", () => {
  assertEquals(peerKey(readIp("::ffff:192.0.2.1")), peerKey(readIp("192.0.2.1")));
  assertEquals(peerKey(readIp("2001:db8::1")), peerKey(readIp("2001:db8::ffff:ffff:ffff:ffff")));
  assertEquals(peerKey(readIp("2001:db8:0:1::1")) === peerKey(readIp("2001:db8::1")), false);
});
