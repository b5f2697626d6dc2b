/**
 * From what was asked for, in the words of options, to what sockets take.
 *
 * @module
 */
import { SERVICES } from "../services/registry.ts";
import type { Handler } from "../socket/connection.ts";
import type { DescriptorBudget } from "../socket/descriptors.ts";
import { explain } from "../socket/faults.ts";
import type { GateOptions } from "../socket/gate.ts";
import { TrustedProxies } from "../socket/proxied.ts";
import type { Terms } from "../socket/terms.ts";
import type { TlsDoor, TlsDoorOptions } from "../tls/door.ts";
import type {
  GateOptions as GateConfig,
  OutletConfig,
  OutletOptions,
  ServerConfig,
} from "./server_config.ts";

/** How an outlet serves its clients. `failed` is told when a capture or a changed certificate fails. */
export function termsOf(
  { service, outletOptions }: OutletConfig,
  { handler, tls, failed }: {
    handler: Handler;
    tls: TlsDoor | undefined;
    failed(reason: string): void;
  },
): Terms {
  return {
    handler,
    tls,
    capture: captureOf(outletOptions, { name: service, failed }),
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

/**
 * The door of an outlet that speaks TLS.
 *
 * @throws {Error} which says which of its files can't be used, and why
 */
export async function tlsOf(
  options: OutletOptions,
  failed: (reason: string) => void,
): Promise<TlsDoor | undefined> {
  if (!options.tls) return undefined;
  const { TlsDoor } = await import("../tls/door.ts");
  return await TlsDoor.open({
    ...await certificateOf(options),
    clientCaFile: options["tls-client-ca"],
    alpn: options.alpn,
    onFault: failed,
  });
}

async function certificateOf(
  { "tls-cert": certFile, "tls-key": keyFile, "tls-self-signed": own }: OutletOptions,
): Promise<Pick<TlsDoorOptions, "certFile" | "keyFile">> {
  if (!own && certFile !== undefined) return { certFile, keyFile };
  const { selfSigned } = await import("../tls/self_signed.ts");
  return { certFile: await selfSigned() };
}

function captureOf(
  { capture: folder, "capture-limit": limit }: OutletOptions,
  { name, failed }: { name: string; failed(reason: string): void },
): Terms["capture"] {
  if (folder === undefined) return undefined;
  const onFault = (error: unknown) => failed(`cannot capture to ${folder}: ${explain(error)}`);
  return async (connection) => {
    const { openCapture } = await import("../socket/capture.ts");
    return await openCapture(connection, { folder, name, limit, onFault });
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

/** The limits of a whole server; there are never more connections than descriptors for them. */
export function limitsOf(
  { gateOptions, outlets }: ServerConfig,
  descriptors: DescriptorBudget | undefined,
): GateOptions {
  const limits = gateOf(gateOptions);
  const { maxConnections = Infinity } = limits;
  const { free = Infinity } = descriptors ?? {};
  const each = outlets.map(({ service }) => 1 + (SERVICES.get(service)!.descriptors ?? 0));
  const enough = Math.max(Math.floor(free / Math.max(1, ...each)), 1);
  return { ...limits, maxConnections: Math.min(maxConnections, enough) };
}
