/**
 * Turns options into the settings of outlets and TLS.
 *
 * @module
 */
import { SERVICES } from "../services/registry.ts";
import type { Handler } from "../connection/connection.ts";
import { keepAliveTimes } from "../transport/keep_alive_options.ts";
import { explain } from "../transport/errors.ts";
import { TrustedProxies } from "../admission/trusted_proxies.ts";
import type { OutletSettings } from "../outlet/settings.ts";
import type { TlsAcceptor, TlsFiles } from "../transport/tls/acceptor.ts";
import type { WebSocketServer } from "../transport/websocket/accept.ts";
import type { OutletConfig } from "../config/server_config.ts";
import type { OutletOptions } from "../config/outlet_options.ts";
import type { OutputFiles } from "./output_files.ts";

/** What the settings of an outlet are made of, beside its config. */
export interface OutletParts {
  /** Serves each connection. */
  readonly handler: Handler;
  /** Does the TLS handshakes. */
  readonly tls: TlsAcceptor | undefined;
  /** The files that connections are written to. */
  readonly outputs: OutputFiles;
  /** Called when the only client of an outlet with `once` has been served. */
  readonly onServed: OutletSettings["onServed"];
  /** Called when a capture or a changed certificate fails. */
  failed(reason: string): void;
}

/** The settings of an outlet. */
export function outletSettings(
  config: OutletConfig,
  { handler, tls, outputs, onServed, failed }: OutletParts,
): OutletSettings {
  const { name, service, outletOptions } = config;
  return {
    handler,
    layers: tls || outletOptions.ws ? { tls, ws: webSocketOf(outletOptions) } : undefined,
    certificate: tls?.fingerprint,
    capture: captureOf(outletOptions, { name: name ?? service, failed }),
    output: outputs.stage(outletOptions, { outlet: name ?? service }),
    crlf: outletOptions.crlf,
    onServed: servesOnce(config) ? onServed : undefined,
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

/** Whether the outlet ends the server with its first client. */
function servesOnce({ service, serviceOptions, outletOptions }: OutletConfig): boolean {
  return outletOptions.once || (SERVICES.get(service)!.servesOnce?.(serviceOptions) ?? false);
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
