/**
 * What a client cannot do over UDP.
 *
 * @module
 */
import { isUnix, overUdp } from "../endpoint/address.ts";
import { formatRemote } from "../endpoint/remote.ts";
import type { Target } from "../endpoint/target.ts";
import type { Label } from "../options/requirements.ts";
import { UsageError } from "../options/usage_error.ts";
import type { ClientOptions } from "./client_config.ts";
import { TLS_OVER_UDP, WEBSOCKET_OVER_UDP } from "../endpoint/transport.ts";
import { KEEP_ALIVE_OPTIONS, NOTHING_TO_PROBE } from "../transport/keep_alive_options.ts";
import { TLS_CLIENT_OPTIONS } from "../transport/tls/client_options.ts";
import { WEBSOCKET_CLIENT_OPTIONS } from "../transport/websocket/client_options.ts";

/** How long further answers are waited for, in milliseconds, unless `-w` says otherwise. */
const ANSWER_TIMEOUT = 1_000;

const PROGRAM_OVER_UDP = "a program's stdin and stdout are streams, which datagrams are not";

/** Options that have no effect over UDP, and why. */
const STREAM_ONLY: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.keys(WEBSOCKET_CLIENT_OPTIONS).map((name) => [name, WEBSOCKET_OVER_UDP]),
  ),
  ...Object.fromEntries(Object.keys(TLS_CLIENT_OPTIONS).map((name) => [name, TLS_OVER_UDP])),
  ...Object.fromEntries(Object.keys(KEEP_ALIVE_OPTIONS).map((name) => [name, NOTHING_TO_PROBE])),
  eof: "there is no half-close",
  "recv-only": "nobody answers before a datagram was sent",
  "keep-sending": "there is no half-close",
  command: PROGRAM_OVER_UDP,
  ucspi: PROGRAM_OVER_UDP,
  proxy: "proxies carry streams",
  "proxy-auth": "proxies carry streams",
  "proxy-auth-preemptive": "proxies carry streams",
  retry: "there is no connection to try again",
  "retry-delay": "there is no connection to try again",
  script: "a script reads a stream",
  trace: "there is no handshake",
  relative: "there is no handshake",
  mode: "a load test sends datagrams and waits for the same to come back",
};

/** The addresses as those of UDP. */
export function datagramTargets({ targets, tls, ws }: Target): Target["targets"] {
  const [one, ...others] = targets.map((address) => {
    if (!isUnix(address) && !tls && ws === undefined) return overUdp(address);
    const name = formatRemote({ address, tls, ws });
    throw new UsageError(`${name} is no address of UDP: expected udp://HOST:PORT`);
  });
  return [one!, ...others];
}

/**
 * The options of a client over UDP.
 *
 * @throws {UsageError} where one has no effect
 */
export function datagramOptions(
  options: ClientOptions,
  { given, label }: { given: ReadonlySet<string>; label: Label },
): ClientOptions {
  for (const name of given) {
    const why = STREAM_ONLY[name];
    if (why) {
      throw new UsageError(`${label(name)} has no effect over UDP: ${why}`, { option: name });
    }
  }
  return given.has("connect-timeout") ? options : { ...options, "connect-timeout": ANSWER_TIMEOUT };
}
