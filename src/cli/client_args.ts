/**
 * The words behind `outlet client`.
 *
 * @module
 */
import { CLIENT_OPTIONS, type ClientConfig, type ClientOptions } from "../config/client_config.ts";
import { valuesOf } from "../options/option.ts";
import { asFlag, refuseUseless } from "../options/requirements.ts";
import { quote, UsageError } from "../options/usage_error.ts";
import { readFlags } from "./flags.ts";
import { type Address, isUnix } from "../endpoint/address.ts";
import { readTarget } from "../endpoint/target.ts";

/**
 * Reads the words behind `outlet client`.
 *
 * @throws {UsageError} which names the word at fault
 */
export function readClient(args: readonly string[]): ClientConfig {
  const { values, operands, rest } = readFlags(args, {
    mode: "client",
    table: CLIENT_OPTIONS,
  });
  if (rest.length > 0) throw new UsageError(`${quote(rest[0]!)}: nothing is expected behind --`);
  const { targets, tls } = readTarget(operands);
  const options = valuesOf(CLIENT_OPTIONS, tls ? new Map([...values, ["tls", true]]) : values);
  refuseUseless(values.keys(), { table: CLIENT_OPTIONS, values: { ...options }, label: asFlag });
  if (targets.length > 1 && !options.probe) {
    throw new UsageError("several ports can only be probed: add -z, or name one port");
  }
  checkProxy(options, targets[0]);
  return { targets, options };
}

function checkProxy(options: ClientOptions, target: Address): void {
  const { proxy, "proxy-auth": credentials, "proxy-auth-preemptive": preemptive } = options;
  if (!proxy) return;
  if (isUnix(target)) throw new UsageError("--proxy: a proxy reaches no Unix socket");
  if (credentials && proxy.credentials) {
    throw new UsageError("--proxy-auth: the proxy's URL names a user already");
  }
  if (!preemptive) return;
  if (proxy.scheme !== "http") {
    throw new UsageError("--proxy-auth-preemptive is for http:// proxies; SOCKS has no such thing");
  }
  if (!credentials && !proxy.credentials) {
    throw new UsageError(
      "--proxy-auth-preemptive needs --proxy-auth, or a user in the proxy's URL",
    );
  }
}
