/** What a door asks about every client: the rules about its address. */
import { Acl } from "../../src/admission/acl.ts";
import { Admission } from "../../src/admission/admission.ts";
import { peerKey, readIp } from "../../src/endpoint/ip.ts";

const NETWORKS = Array.from({ length: 100 }, (_, i) => `10.${i}.0.0/16`);
const acl = new Acl({ deny: NETWORKS });
const [v4, v6] = [readIp("192.0.2.1"), readIp("2001:db8::1")];
const open = new Admission({});
const limited = new Admission({ deny: NETWORKS, maxConnections: 1000, maxPerIp: 10 });

Deno.bench("reads an IPv4 address", { group: "address" }, () => void peerKey(readIp("192.0.2.1")));
Deno.bench(
  "reads an IPv6 address",
  { group: "address" },
  () => void peerKey(readIp("2001:db8::1")),
);
Deno.bench("100 rules, IPv4, none fits", { group: "rules" }, () => void acl.refusal(v4));
Deno.bench("100 rules, IPv6, none fits", { group: "rules" }, () => void acl.refusal(v6));
Deno.bench("a door without rules, in and out", { group: "door" }, () => {
  using _ = open.admit("192.0.2.1");
});
Deno.bench("a door with 100 rules and limits, in and out", { group: "door" }, () => {
  using _ = limited.admit("192.0.2.1");
});
