/**
 * The options of the library's `connect`.
 *
 * @module
 */
import { CLIENT_OPTIONS, type ClientConfig } from "../config/client_config.ts";
import { clientConfig } from "../config/client_rules.ts";
import { KEEP_ALIVE_OPTIONS, type KeepAliveTimes } from "../transport/keep_alive_options.ts";
import { TLS_CLIENT_OPTIONS, type TlsClientConfig } from "../transport/tls/client_options.ts";
import {
  WEBSOCKET_CLIENT_OPTIONS,
  type WebSocketClientConfig,
} from "../transport/websocket/client_options.ts";
import { parseTarget } from "../endpoint/target.ts";
import type { Option } from "../options/option.ts";
import { addValue } from "../options/add_value.ts";
import { asKey } from "../options/requirements.ts";
import { unknownName, UsageError } from "../options/usage_error.ts";
import type { OptionValue } from "./open_options.ts";

/** The options of `outlet client` about connecting, by name: `{ tls: true, "tls-ca": "ca.pem" }`. */
export type ConnectOptions =
  & {
    readonly [
      Name in keyof TlsClientConfig | keyof WebSocketClientConfig | keyof KeepAliveTimes
    ]?: OptionValue;
  }
  & {
    readonly [
      Name in
        | "connect-timeout"
        | "source"
        | "ipv4"
        | "ipv6"
        | "retry"
        | "retry-delay"
        | `proxy${"" | "-auth" | "-auth-preemptive"}`
    ]?: OptionValue;
  };

/** The options that are in tables of their own. */
type TableName = keyof TlsClientConfig | keyof WebSocketClientConfig | keyof KeepAliveTimes;

/** The compiler keeps these the same as those of {@linkcode ConnectOptions}. */
const OTHERS: Readonly<
  Record<Exclude<keyof ConnectOptions, TableName>, true>
> = {
  "connect-timeout": true,
  "source": true,
  "ipv4": true,
  "ipv6": true,
  "retry": true,
  "retry-delay": true,
  "proxy": true,
  "proxy-auth": true,
  "proxy-auth-preemptive": true,
};

const SUPPORTED: ReadonlySet<string> = new Set(
  [TLS_CLIENT_OPTIONS, WEBSOCKET_CLIENT_OPTIONS, KEEP_ALIVE_OPTIONS, OTHERS].flatMap((table) =>
    Object.keys(table)
  ),
);

/**
 * Builds the config of a client.
 *
 * @throws {UsageError} which names the option that is wrong, or not supported by the library
 */
export function parseConnectOptions(target: string, given: ConnectOptions): ClientConfig {
  const values = new Map<string, unknown>();
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) addOption(name, { value, values });
  }
  const config = clientConfig(parseTarget([target]), { values, label: asKey });
  if (!config.options.udp) return config;
  throw new UsageError("udp is not supported by the library: it is for outlet client", {
    option: "udp",
  });
}

function addOption(
  name: string,
  { value, values }: { value: OptionValue; values: Map<string, unknown> },
): void {
  if (!SUPPORTED.has(name)) {
    if (!Object.hasOwn(CLIENT_OPTIONS, name)) {
      throw unknownName(name, { noun: "option", choices: [...SUPPORTED] });
    }
    throw new UsageError(
      `${name} is not supported by the library: it is for outlet client`,
      { option: name },
    );
  }
  const option: Option = CLIENT_OPTIONS[name as keyof typeof CLIENT_OPTIONS];
  for (const item of Array.isArray(value) ? value : [value]) {
    addValue({ name, option, word: String(item), label: name }, values);
  }
}
