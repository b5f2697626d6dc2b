/**
 * What a UDP outlet cannot have: services without a datagram half, options of streams, and answers
 * that would amplify an attack.
 *
 * @module
 */
import { formatAddress, isLoopback, isUdp, isUnix } from "../endpoint/address.ts";
import { formatRemote } from "../endpoint/remote.ts";
import { TLS_OVER_UDP, WEBSOCKET_OVER_UDP } from "../endpoint/transport.ts";
import { UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import type { DatagramHalf } from "../services/service.ts";
import { KEEP_ALIVE_OPTIONS, NOTHING_TO_PROBE } from "../transport/keep_alive_options.ts";
import type { OutletConfig } from "./server_config.ts";
import { TLS_SERVER_OPTIONS } from "./tls_server_options.ts";
import { WEBSOCKET_SERVER_OPTIONS } from "./websocket_server_options.ts";
import { UDP_OPTIONS } from "./udp_options.ts";

/** How long a UDP session may be idle, in milliseconds, unless `idle-timeout` says otherwise. */
export const SESSION_IDLE_TIMEOUT = 60_000;

/** The most sessions of a UDP outlet, unless `max-connections` says otherwise. */
export const MAX_SESSIONS = 16_384;

/** Options that only streams have, and why. */
const STREAM_ONLY: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.keys(WEBSOCKET_SERVER_OPTIONS).map((name) => [name, WEBSOCKET_OVER_UDP]),
  ),
  ...Object.fromEntries(Object.keys(TLS_SERVER_OPTIONS).map((name) => [name, TLS_OVER_UDP])),
  ...Object.fromEntries(
    ["keep-alive", ...Object.keys(KEEP_ALIVE_OPTIONS)].map((name) => [name, NOTHING_TO_PROBE]),
  ),
  backlog: "there is no accept queue",
  once: "a session has no end, other than being idle",
  crlf: "datagrams are sent as they are",
  "when-full": "datagrams of new clients are dropped",
  "write-timeout": "datagrams are not acknowledged",
  "fin-timeout": "there is no half-close",
  "accept-proxy": "PROXY headers of datagrams are only sent, by forward",
  "trusted-proxy": "PROXY headers of datagrams are only sent, by forward",
};

/** Options that are refused if they are on, even if they were given for all outlets. */
const NEVER_IGNORED = ["tls", "ws", "accept-proxy", "once", "crlf"] as const;

/** Why an option has no effect on this outlet because of UDP; `undefined` if it has one. */
export function whyNotOverUdp(
  label: string,
  { name, outlet: { listen, service } }: {
    name: string;
    outlet: Pick<OutletConfig, "listen" | "service">;
  },
): string | undefined {
  const address = formatAddress(listen);
  if (!isUdp(listen)) {
    return Object.hasOwn(UDP_OPTIONS, name)
      ? `${label} is only for UDP, not for ${address}`
      : undefined;
  }
  const { datagram } = SERVICES.get(service)!;
  const unused: Readonly<Record<string, string>> = "unused" in datagram
    ? datagram.unused as Record<string, string>
    : {};
  const why = STREAM_ONLY[name] ?? unused[name];
  return why && `${label} has no effect over UDP, at ${address}: ${why}`;
}

/**
 * Refuses what a UDP outlet cannot do, and a UDP upstream of a TCP outlet.
 *
 * @throws {UsageError} which says why
 */
export function checkTransport(outlet: OutletConfig): void {
  const { listen, service: name, outletOptions, serviceOptions } = outlet;
  const { datagram, upstreams } = SERVICES.get(name)!;
  if (!isUdp(listen)) {
    const udp = upstreams?.(serviceOptions).find(({ address }) => isUdp(address));
    if (!udp) return;
    const wanted = isUnix(listen) ? `${name}+udp://:PORT` : `${name}+udp://:${listen.port}`;
    throw new UsageError(
      `${name} over TCP cannot reach ${formatRemote(udp)}: ${wanted} forwards datagrams`,
      { option: "to" },
    );
  }
  if ("refused" in datagram) throw new UsageError(`${name} over UDP: ${datagram.refused}`);
  for (const option of NEVER_IGNORED) {
    if (!outletOptions[option]) continue;
    throw new UsageError(whyNotOverUdp(option, { name: option, outlet })!, { option });
  }
  datagram.check?.(serviceOptions);
  checkAmplification(outlet, datagram);
}

function checkAmplification(
  { service, listen, outletOptions: { amplify } }: OutletConfig,
  { answers }: DatagramHalf,
): void {
  if (answers !== "more" || amplify || isUnix(listen) || isLoopback(listen.hostname)) return;
  throw new UsageError(
    `${service} over UDP answers with more than it gets, and the sender's address may be ` +
      "forged: listen on 127.0.0.1, or add amplify if only trusted machines can reach it",
    { option: "amplify" },
  );
}
