/**
 * Turns options into the settings of outlets, admission and TLS.
 *
 * @module
 */
import { SERVICES } from "../services/registry.ts";
import type { Handler } from "../connection/connection.ts";
import type { DescriptorBudget } from "../admission/descriptors.ts";
import { keepAliveTimes } from "../transport/keep_alive_options.ts";
import { explain } from "../transport/errors.ts";
import type { AdmissionOptions } from "../admission/admission.ts";
import { TrustedProxies } from "../admission/trusted_proxies.ts";
import type { OutletSettings } from "../outlet/settings.ts";
import type { TlsAcceptor, TlsFiles } from "../transport/tls/acceptor.ts";
import type { WebSocketServer } from "../transport/websocket/accept.ts";
import type { AdmissionConfig as GateConfig } from "../config/admission_options.ts";
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import type { OutletOptions } from "../config/outlet_options.ts";

/** The settings of an outlet. `failed` is called when a capture or a changed certificate fails. */
export function outletSettings(
  { name, service, outletOptions }: OutletConfig,
  { handler, tls, failed }: {
    handler: Handler;
    tls: TlsAcceptor | undefined;
    failed(reason: string): void;
  },
): OutletSettings {
  return {
    handler,
    layers: tls || outletOptions.ws ? { tls, ws: webSocketOf(outletOptions) } : undefined,
    certificate: tls?.fingerprint,
    capture: captureOf(outletOptions, { name: name ?? service, failed }),
    proxies: outletOptions["accept-proxy"]
      ? new TrustedProxies(outletOptions["trusted-proxy"])
      : undefined,
    keepAlive: outletOptions["keep-alive"],
    keepAliveTimes: keepAliveTimes(outletOptions),
    whenFull: outletOptions["when-full"],
    deadlines: {
      idle: outletOptions["idle-timeout"],
      lifetime: outletOptions.lifetime,
      write: outletOptions["write-timeout"],
      fin: outletOptions["fin-timeout"],
    },
  };
}

/** The WebSocket settings of an outlet; `undefined` without WebSocket. */
function webSocketOf(options: OutletOptions): WebSocketServer | undefined {
  if (!options.ws) return undefined;
  return {
    path: options.path,
    origins: options.origin,
    subprotocols: options.subprotocol,
    form: options["text-lines"] ? "lines" : options.text ? "text" : "binary",
    maxMessage: options["max-message"],
    ping: options.ping,
    forwarders: options["forwarded-for"] ? new TrustedProxies(options["trusted-proxy"]) : undefined,
  };
}

/**
 * The TLS acceptor of an outlet; `undefined` without TLS.
 *
 * @throws {Error} that names the file that can't be used, and why
 */
export async function tlsAcceptor(
  options: OutletOptions,
  failed: (reason: string) => void,
): Promise<TlsAcceptor | undefined> {
  if (!options.tls) return undefined;
  const { TlsAcceptor } = await import("../transport/tls/acceptor.ts");
  return await TlsAcceptor.open({
    ...await certificateOf(options),
    clientCaFile: options["tls-client-ca"],
    alpn: options.alpn,
    onFault: failed,
  });
}

async function certificateOf(
  options: OutletOptions,
): Promise<Omit<TlsFiles, "clientCaFile">> {
  const { "tls-cert": certFile, "tls-key": keyFile, "tls-self-signed": own } = options;
  if (!own && certFile !== undefined) {
    const passwordFile = options["tls-key-password-file"];
    return { certFile, keyFile, passwordFile, sniFiles: options["tls-sni-cert"] };
  }
  const { selfSigned } = await import("../transport/tls/self_signed.ts");
  return { certFile: await selfSigned() };
}

function captureOf(
  { capture: directory, "capture-limit": limit }: OutletOptions,
  { name, failed }: { name: string; failed(reason: string): void },
): OutletSettings["capture"] {
  if (directory === undefined) return undefined;
  const onFault = (error: unknown) => failed(`cannot capture to ${directory}: ${explain(error)}`);
  return async (stream, context) => {
    const { captureStage } = await import("../connection/capture.ts");
    return await captureStage({ directory, name, limit, onFault })(stream, context);
  };
}

/** The limits that admission enforces. */
export function admissionOptions(options: GateConfig): AdmissionOptions {
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

/**
 * The number of descriptors that a connection of this outlet takes: its socket, a capture file,
 * and what its service needs.
 */
function descriptorsOf({ service, outletOptions }: OutletConfig): number {
  const capture = outletOptions.capture === undefined ? 0 : 1;
  return 1 + capture + (SERVICES.get(service)!.descriptors ?? 0);
}

/**
 * The limits of the server as a whole. The number of connections never exceeds what the
 * descriptor limit allows.
 */
export function serverLimits(
  { admissionOptions: gateOptions, outlets }: ServerConfig,
  descriptors: DescriptorBudget | undefined,
): AdmissionOptions {
  const limits = admissionOptions(gateOptions);
  const { maxConnections = Infinity } = limits;
  const { free = Infinity } = descriptors ?? {};
  const each = outlets.map(descriptorsOf);
  const enough = Math.max(Math.floor(free / Math.max(1, ...each)), 1);
  return { ...limits, maxConnections: Math.min(maxConnections, enough) };
}
