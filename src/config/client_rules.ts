/**
 * Builds and checks the config of a client.
 *
 * @module
 */
import type { Target } from "../endpoint/target.ts";
import { isUdp, isUnix } from "../endpoint/address.ts";
import { valuesOf } from "../options/option.ts";
import { checkRequirements, type Label } from "../options/requirements.ts";
import { UsageError } from "../options/usage_error.ts";
import { datagramOptions, datagramTargets } from "./datagram_client_rules.ts";
import { CLIENT_OPTIONS, type ClientConfig } from "./client_config.ts";

/**
 * The config of a client for this target. `label` is how options are named in errors.
 *
 * @throws {UsageError} where options exclude each other or do not fit the target
 */
export function clientConfig(
  target: Target,
  { values, label }: { values: ReadonlyMap<string, unknown>; label: Label },
): ClientConfig {
  const overUdp = values.get("udp") === true || isUdp(target.targets[0]);
  const targets = overUdp ? datagramTargets(target) : target.targets;
  const options = valuesOf(
    CLIENT_OPTIONS,
    new Map([
      ...values,
      ...target.tls ? [["tls", true]] as const : [],
      ...overUdp ? [["udp", true]] as const : [],
    ]),
  );
  checkRequirements(values.keys(), { table: CLIENT_OPTIONS, values: { ...options }, label });
  if (targets.length > 1 && !options.probe) {
    throw new UsageError("several ports need -z: add it, or give one port");
  }
  if (overUdp) {
    return { targets, options: datagramOptions(options, { given: new Set(values.keys()), label }) };
  }
  const config = { targets, options };
  checkProxy(config, label);
  return config;
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
