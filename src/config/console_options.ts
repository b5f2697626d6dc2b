/**
 * What can be asked of the console.
 *
 * @module
 */
import { file, type OptionKind } from "../options/kinds.ts";
import { flag, option, type TableOf } from "../options/option.ts";
import { UsageError } from "../options/usage_error.ts";
import { formatAddress, type InternetAddress, isLoopback } from "../endpoint/address.ts";
import { LISTEN } from "../endpoint/parse.ts";

/** Where the console is when nothing else is said. */
export const CONSOLE_ADDRESS: InternetAddress = { hostname: "127.0.0.1", port: 7001 };

/** Whether there is a console, where, and who may use it. */
export interface ConsoleConfig {
  /** Where it is served, or that it is not. */
  readonly console: InternetAddress | "off" | undefined;
  /** The file of its token, instead of a fresh one at every start. */
  readonly "console-token-file": string | undefined;
  /** The file of its certificate, which makes it HTTPS. */
  readonly "console-cert": string | undefined;
  /** The file of its key. */
  readonly "console-key": string | undefined;
  /** Whether other machines may reach it without TLS. */
  readonly "console-insecure": boolean;
}

const ADDRESS_OR_OFF: OptionKind<InternetAddress | "off"> = {
  expects: "HOST:PORT, :PORT or off",
  placeholder: "[HOST:PORT]",
  write: (value) => value === "off" ? value : formatAddress(value),
  read: (word) => word === "off" ? word : LISTEN.read(word),
};

/** What can be asked of the console. */
export const CONSOLE_OPTIONS: TableOf<ConsoleConfig> = {
  console: option(ADDRESS_OR_OFF, "serve a page to watch and steer the server with", {
    bare: formatAddress(CONSOLE_ADDRESS),
    defaultText: "on where no outlet is named, at 127.0.0.1:7001",
  }),
  "console-token-file": option(
    file("read-or-make"),
    "its token is in this file, which is made if there is none",
    { needs: ["console"] },
  ),
  "console-cert": option(file("read"), "its certificate (PEM), which makes it HTTPS", {
    needs: ["console"],
  }),
  "console-key": option(file("read"), "its key (PEM), where it is not in the same file", {
    needs: ["console-cert"],
  }),
  "console-insecure": flag("other machines may reach it without TLS", {
    needs: ["console"],
    excludes: ["console-cert"],
  }),
};

/**
 * Refuses to let the token and all that is watched cross a network for everybody to read.
 *
 * @throws {UsageError} which says what to add
 */
export function checkConsole(options: ConsoleConfig): void {
  const { console: address, "console-cert": cert, "console-insecure": insecure } = options;
  if (address === undefined || address === "off" || isLoopback(address.hostname)) return;
  if (cert !== undefined || insecure) return;
  throw new UsageError(
    `console ${formatAddress(address)}: other machines reach that, and could read along: add ` +
      "console-cert and console-key, or console-insecure if nobody can",
  );
}
