/**
 * A client out of what was said of it, wherever that was: in flags, or by a program.
 *
 * @module
 */
import type { Target } from "../endpoint/target.ts";
import { isUnix } from "../endpoint/address.ts";
import { valuesOf } from "../options/option.ts";
import { type Label, refuseUseless } from "../options/requirements.ts";
import { UsageError } from "../options/usage_error.ts";
import { CLIENT_OPTIONS, type ClientConfig } from "./client_config.ts";

/**
 * A client of this target. `label` is how its options are called in errors.
 *
 * @throws {UsageError} where its options don't go together, or don't go with the target
 */
export function clientConfig(
  { targets, tls }: Target,
  { values, label }: { values: ReadonlyMap<string, unknown>; label: Label },
): ClientConfig {
  const options = valuesOf(CLIENT_OPTIONS, tls ? new Map([...values, ["tls", true]]) : values);
  refuseUseless(values.keys(), { table: CLIENT_OPTIONS, values: { ...options }, label });
  if (targets.length > 1 && !options.probe) {
    throw new UsageError("several ports can only be probed: add -z, or name one port");
  }
  const config = { targets, options };
  checkProxy(config, label);
  return config;
}

function checkProxy({ options, targets: [target] }: ClientConfig, label: Label): void {
  const { proxy, "proxy-auth": credentials, "proxy-auth-preemptive": preemptive } = options;
  if (!proxy) return;
  if (isUnix(target)) throw new UsageError(`${label("proxy")}: a proxy reaches no Unix socket`);
  if (credentials && proxy.credentials) {
    throw new UsageError(`${label("proxy-auth")}: the proxy's URL names a user already`);
  }
  if (!preemptive) return;
  const name = label("proxy-auth-preemptive");
  if (proxy.scheme !== "http") {
    throw new UsageError(`${name} is for http:// proxies; SOCKS has no such thing`);
  }
  if (!credentials && !proxy.credentials) {
    throw new UsageError(`${name} needs ${label("proxy-auth")}, or a user in the proxy's URL`);
  }
}
