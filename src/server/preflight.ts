/**
 * Checks what a config needs of this machine before anything is opened: files, directories, programs,
 * certificates, addresses.
 *
 * Faults of the config alone are refused in `config/`. Faults that only opening can find, such as
 * a port in use, are found there.
 *
 * @module
 */
import { refuseAddress, refuseForwardToSelf, refuseNamesOverlap } from "./preflight_addresses.ts";
import { checkForwardingLoops, outletName } from "../config/addresses.ts";
import { pathFault } from "../config/path_fault.ts";
import {
  type OutletConfig,
  SERVER_OPTIONS,
  type ServerConfig,
  type ServerOptions,
} from "../config/server_config.ts";
import { OUTLET_OPTIONS } from "../config/outlet_options.ts";
import { formatAddress } from "../endpoint/address.ts";
import type { OptionTable } from "../options/option.ts";
import { UsageError } from "../options/usage_error.ts";
import { mapInTurns } from "../scheduling/turn_budget.ts";
import { SERVICES } from "../services/registry.ts";
import { givenTime } from "../transport/keep_alive_options.ts";
import { explain } from "../transport/errors.ts";
import { tlsAcceptor } from "./settings.ts";

/** The number of faults in one message. */
const MAX_TOLD = 5;

/** Outlets checked in one turn of the event loop. */
const TURN = { units: 64 };

/** A fault: the outlet, the option and the message. */
interface Fault {
  readonly owner?: OutletConfig;
  /** Whether the config is at fault, or a file that it names; else it is the machine. */
  readonly isUsage?: boolean;
  readonly option?: string | undefined;
  readonly message: string;
}

/** Something that a config needs is not to be had on this machine, such as an address. */
export class PreflightError extends Error {
  /** The name that tells it from network errors. */
  override readonly name = "PreflightError";
  /** The option at fault, if it is one. */
  readonly option: string | undefined;

  /** An error with this message. */
  constructor(message: string, option: string | undefined) {
    super(message);
    this.option = option;
  }
}

/** Options of {@linkcode preflight}. */
export interface PreflightOptions {
  /**
   * Whether sockets passed by a service manager (LISTEN_FDS) are a fault. A library ignores them.
   */
  readonly handedSockets?: "refuse" | "ignore";
}

/**
 * Checks everything that a config needs. It changes nothing, and can run beside the same server.
 *
 * @throws {UsageError} one line that names the outlets, the options and the reasons
 * @throws {PreflightError} the same, where the config is not at fault but the machine
 */
export async function preflight(
  config: ServerConfig,
  { handedSockets = "refuse" }: PreflightOptions = {},
): Promise<void> {
  const faults = await Promise.all([
    mapInTurns(config.outlets, TURN, outletFaults).then((found) => found.flat()),
    serverFaults(config.options),
    attempt(() => refuseNamesOverlap(config)),
    attempt(() => refuseForwardToSelf(config.outlets)),
    handedSockets === "refuse" ? attempt(refuseHandedSockets) : [],
  ]);
  refuse(faults.flat());
}

/**
 * The same for one outlet, such as one that is opened at run time.
 *
 * @throws {UsageError} that names the option and the reason
 * @throws {PreflightError} the same, where the config is not at fault but the machine
 */
export async function preflightOutlet(outlet: OutletConfig): Promise<void> {
  const faults = [
    ...await outletFaults(outlet),
    ...await attempt(() => checkForwardingLoops([outlet])),
    ...await attempt(() => refuseForwardToSelf([outlet])),
  ];
  const [first] = faults;
  if (first) throw errorOf(first.message, [first]);
}

function refuse(faults: readonly Fault[]): void {
  if (faults.length === 0) return;
  const byMessage = Map.groupBy(faults, ({ message }) => message);
  const lines = [...byMessage].map(([message, same]) => ownerOf(same) + message);
  const more = lines.length > MAX_TOLD ? `; and ${lines.length - MAX_TOLD} more` : "";
  throw errorOf(lines.slice(0, MAX_TOLD).join("; ") + more, faults);
}

function errorOf(message: string, faults: readonly Fault[]): Error {
  const { option } = faults[0]!;
  return faults.some(({ isUsage }) => isUsage)
    ? new UsageError(message, { option })
    : new PreflightError(message, option);
}

/** `echo at 127.0.0.1:7007: `; empty for a fault of the server as a whole. */
function ownerOf([first, ...others]: readonly Fault[]): string {
  const owner = first?.owner;
  if (!owner) return "";
  const more = others.length > 0 ? ` and ${others.length} more` : "";
  return `${outletName(owner)} at ${formatAddress(owner.listen)}${more}: `;
}

async function outletFaults(outlet: OutletConfig): Promise<Fault[]> {
  const { listen, serviceOptions, outletOptions } = outlet;
  const service = SERVICES.get(outlet.service)!;
  const faults = [
    ...await pathFaults(service.options, serviceOptions),
    ...await pathFaults(OUTLET_OPTIONS, outletOptions),
    ...await attempt(() => refuseAddress(listen)),
    ...await attempt(() => refuseKeepAlive(outletOptions)),
  ];
  // The contents of files are only checked if the files can be read.
  if (faults.length === 0) {
    faults.push(
      ...[await service.preflight?.(serviceOptions) ?? []].flat().map((fault) => ({
        ...fault,
        isUsage: true,
      })),
      ...(await attempt(() => refuseTls(outletOptions))).map((fault) => ({
        ...fault,
        option: "tls-cert",
      })),
    );
  }
  return faults.map((fault) => ({ ...fault, owner: outlet }));
}

async function serverFaults(options: ServerOptions): Promise<Fault[]> {
  const faults = await pathFaults(SERVER_OPTIONS, options);
  if (faults.length > 0) return faults;
  return [
    ...await attempt(() => refuseListener("metrics", options.metrics)),
    ...await attempt(() => refuseListener("console", options.console)),
    ...await attempt(() => refuseConsole(options)),
    ...await attempt(() => refuseBus(options)),
  ];
}

/** What is wrong with the paths that options name. */
async function pathFaults(table: OptionTable, values: object): Promise<Fault[]> {
  const named = Object.entries(values).flatMap(([name, value]) => {
    const use = table[name]!.path;
    if (use === undefined || use === "run") return [];
    return [value].flat().filter((path) => typeof path === "string")
      .map((path) => ({ name, path, use }));
  });
  const faults = await Promise.all(named.map(async ({ name, path, use }) => {
    const fault = await pathFault(path, use);
    const message = `${name} ${path}: ${fault}`;
    return fault === undefined ? [] : [{ option: name, message, isUsage: true }];
  }));
  return faults.flat();
}

/** Reads the certificate and the key, and makes a trial handshake. */
async function refuseTls(options: OutletConfig["outletOptions"]): Promise<void> {
  // The self-signed certificate is made at the start, not by a check.
  if (options.tls && options["tls-cert"] !== undefined) await tlsAcceptor(options, () => {});
}

async function refuseKeepAlive(options: OutletConfig["outletOptions"]): Promise<void> {
  const name = givenTime(options);
  if (name === undefined) return;
  const { keepAliveFault } = await import("../transport/keep_alive.ts");
  const fault = keepAliveFault();
  if (fault !== undefined) throw new UsageError(`${name} ${fault}`, { option: name });
}

async function refuseListener(name: string, address: ServerOptions["console"]): Promise<void> {
  if (address === undefined || address === "off") return;
  await refuseAddress(address).catch((error) => {
    throw new Error(`${name} ${formatAddress(address)}: ${explain(error)}`, { cause: error });
  });
}

async function refuseConsole(
  { "console-cert": certFile, "console-key": keyFile }: ServerOptions,
): Promise<void> {
  if (certFile === undefined) return;
  const { readServingPair } = await import("../transport/tls/serving_pair.ts");
  await readServingPair({ certFile, keyFile, prefix: "console" });
}

async function refuseBus(options: ServerOptions): Promise<void> {
  if (options["bus-credentials"] === undefined && options["bus-ca"] === undefined) return;
  const { readNatsKeys } = await import("../chat/bus/nats_keys.ts");
  await readNatsKeys({ credentials: options["bus-credentials"], ca: options["bus-ca"] });
}

/**
 * Socket activation is not supported: connections to the passed sockets would never be accepted.
 */
function refuseHandedSockets(): void {
  const count = Number(Deno.env.get("LISTEN_FDS") ?? 0);
  if (count === 0 || Deno.env.get("LISTEN_PID") !== String(Deno.pid)) return;
  throw new Error(
    `LISTEN_FDS: ${count} sockets were passed, but outlet opens its own: disable the .socket ` +
      "unit, and set the addresses in the .service unit",
  );
}

async function attempt(look: () => unknown): Promise<Fault[]> {
  try {
    await look();
    return [];
  } catch (error) {
    const isUsage = error instanceof UsageError;
    return [{ option: isUsage ? error.option : undefined, message: explain(error), isUsage }];
  }
}
