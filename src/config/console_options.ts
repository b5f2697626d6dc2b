/**
 * The options of the web console.
 *
 * @module
 */
import { file, type OptionKind } from "../options/kinds.ts";
import { flag, option, type TableOf } from "../options/option.ts";
import { UsageError } from "../options/usage_error.ts";
import { formatAddress, type InternetAddress, isLoopback } from "../endpoint/address.ts";
import { LISTEN } from "../endpoint/parse.ts";

/** The console's default address. */
export const CONSOLE_ADDRESS: InternetAddress = { hostname: "127.0.0.1", port: 7001 };

/** The values of the console's options. */
export interface ConsoleConfig {
  /** Its address; `off` for no console; `undefined` for the default. */
  readonly console: InternetAddress | "off" | undefined;
  /** The file with its token, instead of a new token at each start. */
  readonly "console-token-file": string | undefined;
  /** The file of its certificate (PEM); enables HTTPS. */
  readonly "console-cert": string | undefined;
  /** The file of its key (PEM). */
  readonly "console-key": string | undefined;
  /** Whether it may be reachable from other machines without TLS. */
  readonly "console-insecure": boolean;
}

const ADDRESS_OR_OFF: OptionKind<InternetAddress | "off"> = {
  expects: "HOST:PORT, :PORT or off",
  placeholder: "[HOST:PORT]",
  write: (value) => value === "off" ? value : formatAddress(value),
  parse: (word) => word === "off" ? word : LISTEN.parse(word),
};

/** The options of {@linkcode ConsoleConfig}. */
export const CONSOLE_OPTIONS: TableOf<ConsoleConfig> = {
  console: option(
    ADDRESS_OR_OFF,
    "serve the web console and its API at this address; off: do not",
    {
      bare: formatAddress(CONSOLE_ADDRESS),
      defaultText: "127.0.0.1:7001 if no outlet is given, else off",
    },
  ),
  "console-token-file": option(
    file("read-or-make"),
    "read the access token from this file; create it if missing",
    { needs: ["console"] },
  ),
  "console-cert": option(file("read"), "certificate (PEM); serves the console over HTTPS", {
    needs: ["console"],
  }),
  "console-key": option(file("read"), "private key (PEM), unless console-cert contains it", {
    needs: ["console-cert"],
  }),
  "console-insecure": flag("allow an address that other machines reach without TLS", {
    needs: ["console"],
    excludes: ["console-cert"],
  }),
};

/**
 * Refuses a console that other machines reach without TLS: its token could be read on the network.
 *
 * @throws {UsageError} which says what to add
 */
export function checkConsole(options: ConsoleConfig): void {
  const { console: address, "console-cert": cert, "console-insecure": insecure } = options;
  if (address === undefined || address === "off" || isLoopback(address.hostname)) return;
  if (cert !== undefined || insecure) return;
  throw new UsageError(
    `console ${
      formatAddress(address)
    }: other machines reach this address, and the token would be ` +
      "sent in clear text: add console-cert and console-key, or console-insecure",
  );
}
