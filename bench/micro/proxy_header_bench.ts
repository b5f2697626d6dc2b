/** Parsing and writing PROXY headers. */
import { proxyHeader, ProxyHeaderReader } from "../../src/transport/proxy_protocol.ts";

const V4 = {
  source: { hostname: "192.0.2.7", port: 54321 },
  destination: { hostname: "192.0.2.1", port: 443 },
};
const V6 = {
  source: { hostname: "2001:db8::7", port: 54321 },
  destination: { hostname: "2001:db8::1", port: 443 },
};

for (const version of ["v1", "v2"] as const) {
  for (const [family, ends] of [["IPv4", V4], ["IPv6", V6]] as const) {
    const header = proxyHeader(version, ends);
    Deno.bench(`parses ${version} over ${family}`, { group: "read" }, () => {
      const read = new ProxyHeaderReader().push(header);
      if (read?.ends?.source.port !== 54321) throw new Error("misread");
    });
    Deno.bench(`writes ${version} over ${family}`, { group: "write" }, () => {
      if (proxyHeader(version, ends).length !== header.length) throw new Error("miswritten");
    });
  }
}
