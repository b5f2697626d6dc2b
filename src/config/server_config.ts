/**
 * What a server is asked to be. The tables say what can be asked; the types, what was.
 *
 * @module
 */
import { choice, DURATION, flag, integer, option, type TableOf } from "../options/option.ts";
import type { InternetAddress } from "../socket/address.ts";

/** What every outlet has, whatever its service. */
export interface OutletOptions {
  /** Clients that the kernel keeps waiting to be accepted. */
  readonly backlog: number;
  /** Whether the kernel probes silent connections. */
  readonly "keep-alive": boolean;
}

/** What the server has as a whole. */
export interface ServerOptions {
  /** Milliseconds that connections may go on once the server stops. */
  readonly "drain-timeout": number;
  /** Events for people, or one JSON object a line. */
  readonly "log-format": "text" | "json";
  /** The least serious events to show. */
  readonly "log-level": "debug" | "info" | "warning" | "error";
}

/** What can be asked of one outlet, in its SPEC, or of all of them, in flags. */
export const OUTLET_OPTIONS: TableOf<OutletOptions> = {
  backlog: option(
    integer({ min: 1, max: 65535 }),
    "clients that the kernel keeps waiting to be accepted",
    { default: 4096 },
  ),
  "keep-alive": flag("have the kernel probe silent connections", { default: true }),
};

/** What can be asked of the server as a whole. */
export const SERVER_OPTIONS: TableOf<ServerOptions> = {
  "drain-timeout": option(DURATION, "how long connections may go on once the server stops", {
    default: 10_000,
    defaultText: "10s",
  }),
  "log-format": option(choice(["text", "json"]), "events for people, or one JSON object a line", {
    default: "text",
  }),
  "log-level": option(
    choice(["debug", "info", "warning", "error"]),
    "the least serious events to show",
    { default: "info" },
  ),
};

/** One outlet: a service behind a welcome socket. */
export interface OutletConfig {
  /** The service's name, which is also what events call the outlet. */
  readonly service: string;
  /** Where to listen; port 0 takes a free port. */
  readonly listen: InternetAddress;
  /** The values of the service's own options. */
  readonly serviceOptions: Readonly<Record<string, unknown>>;
  /** The values of the options that every outlet has. */
  readonly outletOptions: OutletOptions;
}

/** A whole server: plain data that could be printed, sent or compared. */
export interface ServerConfig {
  /** Its outlets, in the order in which they are opened. */
  readonly outlets: readonly OutletConfig[];
  /** The values of the options that the server has as a whole. */
  readonly options: ServerOptions;
}
