/**
 * From what was asked for, in the words of options, to what sockets take.
 *
 * @module
 */
import type { Handler } from "../socket/connection.ts";
import type { GateOptions } from "../socket/gate.ts";
import { TrustedProxies } from "../socket/proxied.ts";
import type { Terms } from "../socket/outlet.ts";
import type { GateOptions as GateConfig, OutletConfig } from "./server_config.ts";

/** How an outlet serves its clients. */
export function termsOf(handler: Handler, { outletOptions }: OutletConfig): Terms {
  return {
    handler,
    proxies: outletOptions["accept-proxy"]
      ? new TrustedProxies(outletOptions["trusted-proxy"])
      : undefined,
    keepAlive: outletOptions["keep-alive"],
    whenFull: outletOptions["when-full"],
    deadlines: {
      idle: outletOptions["idle-timeout"],
      lifetime: outletOptions.lifetime,
      write: outletOptions["write-timeout"],
      fin: outletOptions["fin-timeout"],
    },
  };
}

/** What a gate allows. */
export function gateOf(options: GateConfig): GateOptions {
  const { allow, deny, rate, burst } = options;
  return {
    allow,
    deny,
    rate,
    burst,
    maxConnections: options["max-connections"],
    maxPerIp: options["max-per-ip"],
  };
}
