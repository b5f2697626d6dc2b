/** Access rules and admission of a client. */
import { Acl } from "../../src/endpoint/acl.ts";
import { Admission } from "../../src/admission/admission.ts";
import { peerKey, readIp } from "../../src/endpoint/ip.ts";

const NETWORKS = Array.from({ length: 100 }, (_, i) => `10.${i}.0.0/16`);
const acl = new Acl({ deny: NETWORKS });
const [v4, v6] = [readIp("192.0.2.1"), readIp("2001:db8::1")];
const open = new Admission({});
const limited = new Admission({ deny: NETWORKS, maxConnections: 1000, maxPerIp: 10 });

Deno.bench("parses an IPv4 address", { group: "address" }, () => void peerKey(readIp("192.0.2.1")));
Deno.bench(
  "parses an IPv6 address",
  { group: "address" },
  () => void peerKey(readIp("2001:db8::1")),
);
Deno.bench("100 rules, IPv4, no match", { group: "rules" }, () => void acl.refusal(v4));
Deno.bench("100 rules, IPv6, no match", { group: "rules" }, () => void acl.refusal(v6));
Deno.bench("admission without rules, with release", { group: "door" }, () => {
  using _ = open.admit("192.0.2.1");
});
Deno.bench("admission with 100 rules and limits, with release", { group: "door" }, () => {
  using _ = limited.admit("192.0.2.1");
});
