/**
 * The options of `forward`, and which of them fit together.
 *
 * @module
 */
import { choice, DURATION, type OptionKind } from "../../options/kinds.ts";
import { list, option, type OptionValues } from "../../options/option.ts";
import { prefixOptions, withoutPrefix } from "../../options/prefix.ts";
import { UsageError } from "../../options/usage_error.ts";
import { isUnix } from "../../endpoint/address.ts";
import { formatRemote, REMOTE, type Remote } from "../../endpoint/remote.ts";
import { SOURCE_ADDRESS, sourceConflict } from "../../endpoint/source.ts";
import { STARTTLS_PROTOCOLS, type StartTlsProtocol } from "../../transport/starttls/protocols.ts";
import {
  KEEP_ALIVE_OPTIONS,
  type KeepAliveTimes,
  keepAliveTimes,
} from "../../transport/keep_alive_options.ts";
import { TLS_CLIENT_OPTIONS } from "../../transport/tls/client_options.ts";
import type { TlsClientSettings } from "../../transport/tls/client_files.ts";
import { PROTOCOL_ROUTE, type Route, SNI_ROUTE, STREAM_REMOTE } from "./route.ts";

/** The TLS options of upstreams are those of a client after this: `to-tls-ca`. */
export const TO = "to-";

const { tls: _, ...TLS_OPTIONS } = TLS_CLIENT_OPTIONS;
const TO_OPTIONS = prefixOptions(TLS_OPTIONS, { prefix: TO, about: "upstreams with TLS" });

/** The keep-alive options of connections to upstreams: `to-keep-alive-idle`. */
const TO_KEEP_ALIVE = prefixOptions(KEEP_ALIVE_OPTIONS, { prefix: TO, about: "upstreams" });

/** The names of options about TLS to upstreams. */
export const TLS_NAMES: readonly string[] = Object.keys(TO_OPTIONS);

/** The names of options about keep-alive of upstreams. */
export const KEEP_ALIVE_NAMES: readonly string[] = Object.keys(TO_KEEP_ALIVE);

/** The protocols that a client without TLS can go on in. */
const FORWARDED_PROTOCOLS = STARTTLS_PROTOCOLS.filter((name) => name !== "mysql");

const FORWARDED_PROTOCOL: OptionKind<StartTlsProtocol> = {
  ...choice(FORWARDED_PROTOCOLS),
  parse(word) {
    if (word !== "mysql") return STARTTLS_PROTOCOLS.find((name) => name === word);
    throw new UsageError(
      "a MySQL client without TLS cannot go on after it: the server takes the client's " +
        "capabilities and the numbers of packets from before TLS",
    );
  },
};

/** The table. */
export const FORWARD_OPTIONS = {
  to: list(
    REMOTE,
    "upstream server; tls:// and ws:// speak TLS and WebSocket to it; several share the connections",
    { excludes: ["sni", "route"] },
  ),
  sni: list(
    SNI_ROUTE,
    "upstream of TLS clients that ask for this host (SNI), without decrypting; others are closed",
    { excludes: ["tls"] },
  ),
  "sni-default": option(
    STREAM_REMOTE,
    "upstream of TLS clients that ask for another host, or for none",
    {
      needs: ["sni"],
      excludes: ["to"],
    },
  ),
  route: list(
    PROTOCOL_ROUTE,
    "upstream of clients that begin to speak ssh, tls, http or socks, or something else",
  ),
  "inspect-timeout": option(
    DURATION,
    "time limit for a client's first bytes; then it goes to the route else or ssh, or is closed",
    { needs: ["sni", "route"], excludes: ["to"], default: 5_000, defaultText: "5s" },
  ),
  balance: option(
    choice(["round-robin", "least-connections", "first", "source"]),
    "upstream of a connection: round-robin, least-connections, first (that is up), or source " +
      "(by the client's address)",
    { default: "round-robin", placeholder: "ALGORITHM" },
  ),
  "connect-timeout": option(
    DURATION,
    "time limit for connecting to an upstream; then the next is tried",
    {
      default: 5_000,
      defaultText: "5s",
    },
  ),
  source: option(SOURCE_ADDRESS, "address of this machine that connections come from"),
  check: option(DURATION, "interval of health checks, by connecting", {
    defaultText: "off",
  }),
  "send-proxy": option(
    choice(["v1", "v2"]),
    "send a PROXY protocol header with the client's address",
  ),
  ...TO_KEEP_ALIVE,
  ...TO_OPTIONS,
  "to-starttls": option(
    FORWARDED_PROTOCOL,
    "upstreams with TLS: ask them to begin it (STARTTLS), in this protocol, and pass on their " +
      `greeting: ${FORWARDED_PROTOCOLS.join(", ")}`,
    { placeholder: "PROTOCOL" },
  ),
};

/** The values of the options. */
export type ForwardOptions = OptionValues<typeof FORWARD_OPTIONS>;

/** The upstreams of all clients. */
export function upstreamsOf(
  { to, sni, "sni-default": otherNames, route }: ForwardOptions,
): readonly Remote[] {
  return [...to, ...sni, ...otherNames ? [otherNames] : [], ...route];
}

/** The upstreams of the clients that are not distinguished. */
export function groupsOf(options: ForwardOptions): readonly (readonly Remote[])[] {
  const { to, sni, route } = options;
  return [to, ...groupRoutes(sni).values(), ...groupRoutes(route).values()];
}

/** The upstreams of each server name or protocol. */
export function groupRoutes(routes: readonly Route[]): ReadonlyMap<string, readonly Route[]> {
  return Map.groupBy(routes, ({ of }) => of);
}

/**
 * Checks options that depend on each other.
 * @throws {UsageError} which says what is missing or cannot be combined
 */
export function checkOptions(options: ForwardOptions): void {
  for (const option of ["check", "connect-timeout", "inspect-timeout"] as const) {
    if (options[option] !== 0) continue;
    const advice = option === "check" ? "leave it out" : "it must be positive";
    throw new UsageError(`${option} cannot be 0: ${advice}`, { option });
  }
  const upstreams = upstreamsOf(options);
  if (upstreams.length === 0) {
    throw new UsageError("forward needs an upstream: to, a HOST:PORT; or sni or route", {
      option: "to",
    });
  }
  checkRoutes(options);
  const { source: hostname } = options;
  for (const { address } of hostname === undefined ? [] : upstreams) {
    const conflict = isUnix(address) ? undefined : sourceConflict({ hostname }, address);
    if (conflict) throw new UsageError(`source: ${conflict}`, { option: "source" });
  }
  const begun = options["to-starttls"] && upstreams.find(({ tls, ws }) => tls && ws !== undefined);
  if (!begun) return;
  throw new UsageError(`to-starttls: ${formatRemote(begun)} is a WebSocket, which has none`, {
    option: "to-starttls",
  });
}

function checkRoutes({ sni, "sni-default": otherNames, route }: ForwardOptions): void {
  const byName = [...sni, ...otherNames ? [otherNames] : []];
  const twice = byName.find(({ tls }) => tls) ?? route.find(({ of, tls }) => of === "tls" && tls);
  if (twice) {
    const plain = formatRemote({ ...twice, tls: false });
    const option = byName.includes(twice)
      ? sni.includes(twice as Route) ? "sni" : "sni-default"
      : "route";
    throw new UsageError(
      `${option}: the client's TLS is passed on as it comes, so the upstream is ${plain}, without TLS`,
      { option },
    );
  }
  if (sni.length > 0 && route.some(({ of }) => of === "tls")) {
    throw new UsageError("route: sni routes TLS already: use sni-default instead of tls=", {
      option: "route",
    });
  }
  if (sni.length > 0 || route.length === 0 || route.some(({ of }) => of !== "else")) return;
  throw new UsageError("route: else needs another protocol beside it; for all clients, use to", {
    option: "route",
  });
}

/** Why a given option has no effect; the text follows its name. */
export function whyIgnored(name: string, options: ForwardOptions): string | undefined {
  const upstreams = upstreamsOf(options);
  const { balance } = options;
  if (
    isGiven(options[name as TlsOption]) &&
    (name === "source" || Object.hasOwn(TO_KEEP_ALIVE, name)) &&
    upstreams.every(({ address }) => isUnix(address))
  ) {
    return "needs an upstream with an IP address";
  }
  if (name === "balance" && balance !== "round-robin") {
    if (groupsOf(options).some(({ length }) => length > 1)) return undefined;
    return options.to.length > 0
      ? "needs several upstreams: to has only one"
      : "needs several upstreams for the same clients";
  }
  const [first] = upstreams;
  if (!first || upstreams.some(({ tls }) => tls)) return undefined;
  if (!isTlsOption(name) || !isGiven(options[name])) return undefined;
  return `needs an upstream with TLS: to=${formatRemote({ ...first, tls: true })}`;
}

type TlsOption = keyof typeof TO_OPTIONS;

function isTlsOption(name: string): name is TlsOption {
  return Object.hasOwn(TO_OPTIONS, name);
}

/** Whether a value of a TLS option, all of which are off by default, turns something on. */
function isGiven(value: string | number | boolean | readonly string[] | undefined): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

/** The TLS options of upstreams, as those of a client. */
export function tlsSettings(options: ForwardOptions): TlsClientSettings {
  return withoutPrefix(options, TO);
}

/** When keep-alive probes are sent to upstreams. */
export function upstreamKeepAlive(options: ForwardOptions): KeepAliveTimes | undefined {
  return keepAliveTimes(withoutPrefix(options, TO));
}
