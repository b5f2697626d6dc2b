import { UsageError } from "../../options/usage_error.ts";
import { DURATION, file } from "../../options/kinds.ts";
import { flag, list, option } from "../../options/option.ts";
import { CIDR, isForAll } from "../../endpoint/acl.ts";
import { formatProxy, PROXY, takesPassword } from "../../endpoint/proxy.ts";
import { SOURCE_ADDRESS, sourceConflict } from "../../endpoint/source.ts";
import { explain } from "../../transport/errors.ts";
import { addressFault } from "../../transport/local_address.ts";
import type { Handler } from "../../connection/connection.ts";
import { type Service, service } from "../service.ts";

/** Connects clients to where they ask: SOCKS 4, 4a and 5, and HTTP. */
export const proxy: Service = service({
  name: "proxy",
  summary: "proxy server: SOCKS 4, 4a and 5, HTTP CONNECT and http:// URLs, on one port",
  // An association has a socket for its client, and one for each version of IP.
  descriptors: 3,
  options: {
    auth: option(file("read"), "require a password: file of lines USER:HASH, as of htpasswd -B"),
    "to-allow": list(CIDR, "connect only to these addresses or networks"),
    "to-deny": list(CIDR, "do not connect to these addresses or networks, even if allowed"),
    "to-local": flag(
      "connect remote clients to loopback, link-local and metadata addresses of this host, too",
    ),
    via: option(PROXY, "connect through another proxy", { secret: true }),
    source: option(SOURCE_ADDRESS, "address of this machine that connections come from"),
    "connect-timeout": option(DURATION, "time limit for connecting, name look-up included", {
      default: 10_000,
      defaultText: "10s",
    }),
  },
  check({ via, source, "connect-timeout": timeout }) {
    if (timeout === 0) {
      throw new UsageError("connect-timeout cannot be 0: it must be positive", {
        option: "connect-timeout",
      });
    }
    const conflict = via && source && sourceConflict({ hostname: source }, via.address);
    if (conflict) throw new UsageError(`source: ${conflict}`, { option: "source" });
    if (via?.credentials && via.credentials.password === undefined && takesPassword(via)) {
      throw new UsageError(
        `via: the ${
          formatProxy(via)
        } needs a password: write USER:PASSWORD, or USER: where it is empty`,
        { option: "via" },
      );
    }
  },
  openness({ auth, "to-allow": allow }) {
    if (auth !== undefined || (allow.length > 0 && !allow.some(isForAll))) return undefined;
    return {
      option: "auth",
      what: "an open proxy for everybody",
      remedy: "auth (passwords) or to-allow (what it connects to)",
    };
  },
  upstreams: ({ via }) => via ? [{ address: via.address, tls: false }] : [],
  async preflight({ auth, source }) {
    const fault = source && addressFault(source);
    if (fault) return { option: "source", message: `source ${source}: ${fault}` };
    if (auth === undefined) return undefined;
    const { readPasswordFile } = await import("./passwords/password_file.ts");
    return await readPasswordFile(auth).then(
      () => undefined,
      (error) => ({ option: "auth", message: `auth ${auth}: ${explain(error)}` }),
    );
  },
  datagram: { refused: "clients ask over TCP; SOCKS 5 then gives them a UDP port (UDP ASSOCIATE)" },
  open({ auth, via, source, "connect-timeout": timeout, ...rules }, { failed }) {
    let handler: Promise<Handler> | undefined;
    const load = async () => {
      const [{ serveProxy }, { Destinations }] = await Promise.all([
        import("./serve.ts"),
        import("./destinations.ts"),
      ]);
      return serveProxy({
        destinations: new Destinations(rules),
        authenticator: await authenticatorOf(auth, failed),
        via,
        source,
        timeout,
      });
    };
    return async (client, signal) => await (await (handler ??= load()))(client, signal);
  },
});

async function authenticatorOf(path: string | undefined, failed: (reason: string) => void) {
  if (path === undefined) return undefined;
  const { Passwords } = await import("./passwords/passwords.ts");
  return new Passwords({ path, failed });
}
