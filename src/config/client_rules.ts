/**
 * Builds and checks the config of a client.
 *
 * @module
 */
import type { Target } from "../endpoint/target.ts";
import { formatAddress, isUdp, isUnix } from "../endpoint/address.ts";
import { type LocalEnd, sourceConflict } from "../endpoint/source.ts";
import { givenTime } from "../transport/keep_alive_options.ts";
import { valuesOf } from "../options/option.ts";
import { checkRequirements, type Label } from "../options/requirements.ts";
import { UsageError } from "../options/usage_error.ts";
import { datagramOptions, datagramTargets } from "./datagram_client_rules.ts";
import { CLIENT_OPTIONS, type ClientConfig, type ClientOptions } from "./client_config.ts";

/**
 * The config of a client for this target. `label` is how options are named in errors.
 *
 * @throws {UsageError} where options exclude each other or do not fit the target
 */
export function clientConfig(
  target: Target,
  { values, label }: { values: ReadonlyMap<string, unknown>; label: Label },
): ClientConfig {
  const udp = values.get("udp") === true || isUdp(target.targets[0]);
  const targets = udp ? datagramTargets(target) : target.targets;
  const options = valuesOf(CLIENT_OPTIONS, withScheme(values, { ...target, udp, label }));
  checkRequirements(values.keys(), { table: CLIENT_OPTIONS, values: { ...options }, label });
  if (targets.length > 1 && !options.probe) {
    throw new UsageError("several ports need -z: add it, or give one port");
  }
  const config = {
    targets,
    options: udp ? datagramOptions(options, { given: new Set(values.keys()), label }) : options,
  };
  checkProxy(config, label);
  checkSource(config, label);
  checkKeepAlive(config, label);
  return config;
}

function checkKeepAlive({ options, targets: [target] }: ClientConfig, label: Label): void {
  const given = givenTime(options);
  if (given === undefined || !isUnix(target)) return;
  throw new UsageError(`${label(given)} is only for TCP, not for ${formatAddress(target)}`);
}

/** Where the client's connections come from; `undefined` if the system may choose. */
export function localEndOf({ source, ipv4, ipv6 }: ClientOptions): LocalEnd | undefined {
  if (!source && !ipv4 && !ipv6) return undefined;
  return { ...source, family: ipv4 ? "IPv4" : ipv6 ? "IPv6" : undefined };
}

function checkSource({ options, targets: [target] }: ClientConfig, label: Label): void {
  const from = localEndOf(options);
  if (!from) return;
  const name = label(options.source ? "source" : options.ipv4 ? "ipv4" : "ipv6");
  const conflict = sourceConflict(from, options.proxy?.address ?? target);
  if (conflict !== undefined) throw new UsageError(`${name}: ${conflict}`);
  if (from.port === undefined || !options.bench) return;
  throw new UsageError(`${name}: a port is of one connection, and ${label("bench")} makes many`);
}

/** The values, with what the scheme of the target asks for. */
function withScheme(
  values: ReadonlyMap<string, unknown>,
  { tls, ws, udp, label }: Pick<Target, "tls" | "ws"> & { udp: boolean; label: Label },
): ReadonlyMap<string, unknown> {
  if (ws !== undefined && values.has("ws")) {
    throw new UsageError(`${label("ws")}: the target is a WebSocket with a path already`);
  }
  return new Map([
    ...values,
    ...tls || values.has("starttls") ? [["tls", true] as const] : [],
    ...ws === undefined ? [] : [["ws", ws] as const],
    ...udp ? [["udp", true] as const] : [],
  ]);
}

function checkProxy({ options, targets: [target] }: ClientConfig, label: Label): void {
  const { proxy, "proxy-auth": credentials, "proxy-auth-preemptive": preemptive } = options;
  if (!proxy) return;
  if (isUnix(target)) throw new UsageError(`${label("proxy")}: a proxy cannot reach a Unix socket`);
  if (credentials && proxy.credentials) {
    throw new UsageError(`${label("proxy-auth")}: the proxy's URL already has credentials`);
  }
  if (!preemptive) return;
  const name = label("proxy-auth-preemptive");
  if (proxy.scheme !== "http") {
    throw new UsageError(`${name} is only for http:// proxies`);
  }
  if (!credentials && !proxy.credentials) {
    throw new UsageError(`${name} needs ${label("proxy-auth")}, or a user in the proxy's URL`);
  }
}
