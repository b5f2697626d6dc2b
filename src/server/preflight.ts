/**
 * Everything that a config needs of this machine, looked at before anything is opened: the files, folders and
 * programs that it names, its certificates, and the addresses that it wants.
 *
 * What the words alone tell is refused where they are read (`config/`). What only the opening itself can tell, such
 * as a port that somebody else has, is left to that.
 *
 * @module
 */
import { refuseAddress, refuseForwardToSelf, refuseNamesOverlap } from "./preflight_addresses.ts";
import { outletName, refuseCircles } from "../config/addresses.ts";
import { pathFault } from "../config/path_fault.ts";
import {
  OUTLET_OPTIONS,
  type OutletConfig,
  SERVER_OPTIONS,
  type ServerConfig,
  type ServerOptions,
} from "../config/server_config.ts";
import { formatAddress } from "../endpoint/address.ts";
import type { OptionTable } from "../options/option.ts";
import { UsageError } from "../options/usage_error.ts";
import { SERVICES } from "../services/registry.ts";
import { explain } from "../transport/errors.ts";
import { tlsAcceptor } from "./settings.ts";

/** How many faults are told at once. */
const MAX_TOLD = 5;

/** A fault, whose it is, and which option is at fault. */
interface Fault {
  readonly owner?: OutletConfig;
  readonly option?: string | undefined;
  readonly message: string;
}

/** Something that a config needs is not there. */
export class PreflightError extends Error {
  /** Tells it from faults of the network. */
  override readonly name = "PreflightError";
  /** The option at fault, where it is one. */
  readonly option: string | undefined;

  /** What is missing, in words. */
  constructor(message: string, option: string | undefined) {
    super(message);
    this.option = option;
  }
}

/** What else is looked at. */
export interface PreflightOptions {
  /** Sockets that a service manager handed to the process: as a library, they are another's business. */
  readonly handedSockets?: "refuse" | "ignore";
}

/**
 * Looks whether all that a config asks for can be had, as far as that is known before it is opened. It leaves
 * nothing behind, and can be asked while the same server runs.
 *
 * @throws {PreflightError} in one line: which options of which outlets can't be had, and why
 */
export async function preflight(
  config: ServerConfig,
  { handedSockets = "refuse" }: PreflightOptions = {},
): Promise<void> {
  const faults = await Promise.all([
    ...config.outlets.map(outletFaults),
    serverFaults(config.options),
    attempt(() => refuseNamesOverlap(config)),
    attempt(() => refuseForwardToSelf(config.outlets)),
    handedSockets === "refuse" ? attempt(refuseHandedSockets) : [],
  ]);
  refuse(faults.flat());
}

/**
 * The same for one outlet by itself, such as one that is opened while the server runs.
 *
 * @throws {PreflightError} which names the option that can't be had, and why
 */
export async function preflightOutlet(outlet: OutletConfig): Promise<void> {
  const faults = [
    ...await outletFaults(outlet),
    ...await attempt(() => refuseCircles([outlet])),
    ...await attempt(() => refuseForwardToSelf([outlet])),
  ];
  const [first] = faults;
  if (first) throw new PreflightError(first.message, first.option);
}

function refuse(faults: readonly Fault[]): void {
  if (faults.length === 0) return;
  const byMessage = Map.groupBy(faults, ({ message }) => message);
  const lines = [...byMessage].map(([message, same]) => ownerOf(same) + message);
  const more = lines.length > MAX_TOLD ? `; and ${lines.length - MAX_TOLD} more` : "";
  throw new PreflightError(lines.slice(0, MAX_TOLD).join("; ") + more, faults[0]!.option);
}

/** `echo at 127.0.0.1:7007: `, or nothing for what is the whole server's. */
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
  ];
  // What is in files is looked at where they can be read.
  if (faults.length === 0) {
    faults.push(
      ...[service.preflight?.(serviceOptions) ?? []].flat(),
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
    return use === undefined || typeof value !== "string" ? [] : [{ name, path: value, use }];
  });
  const faults = await Promise.all(named.map(async ({ name, path, use }) => {
    const fault = await pathFault(path, use);
    return fault === undefined ? [] : [{ option: name, message: `${name} ${path}: ${fault}` }];
  }));
  return faults.flat();
}

/** Reads the certificate and the key, and does with them what each client will ask for. */
async function refuseTls(options: OutletConfig["outletOptions"]): Promise<void> {
  // One's own certificate is made at the start, and not by who only looks.
  if (options.tls && options["tls-cert"] !== undefined) await tlsAcceptor(options, () => {});
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

/** A service manager that opens the sockets itself would wait for somebody to serve them. */
function refuseHandedSockets(): void {
  const count = Number(Deno.env.get("LISTEN_FDS") ?? 0);
  if (count === 0 || Deno.env.get("LISTEN_PID") !== String(Deno.pid)) return;
  throw new Error(
    `LISTEN_FDS: ${count} sockets were handed over, and outlet opens its own: disable the .socket ` +
      "unit, and say in the .service unit where to listen",
  );
}

async function attempt(look: () => unknown): Promise<Fault[]> {
  try {
    await look();
    return [];
  } catch (error) {
    const option = error instanceof UsageError ? error.option : undefined;
    return [{ option, message: explain(error) }];
  }
}
