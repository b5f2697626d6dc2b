/**
 * What a server is to be, as one value: every outlet with its number, and what holds for all of them. Whatever asks
 * for something else, asks for another value.
 *
 * @module
 */
import { isEqual } from "../config/equal.ts";
import type { AdmissionConfig } from "../config/admission_options.ts";
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import type { ServerOptions } from "../config/server_config.ts";
import { type Address, isUnix } from "../endpoint/address.ts";
import type { Reloaded } from "../events/events.ts";

/** An outlet that is to be open. */
export interface DesiredOutlet {
  /** Its number, for its life. */
  readonly id: number;
  /** What events call it. */
  readonly name: string;
  /** What was asked for. */
  readonly config: OutletConfig;
  /** Where it listens; unknown until it is bound for the first time, for a free port is found only then. */
  readonly address: Address | undefined;
  /** The outlet before it at the same address, whose welcome socket it takes over. */
  readonly takesOver?: number;
}

/** What a server is to be. Plain data, which can be sent to workers. */
export interface DesiredState {
  /** What was asked of the server as a whole. */
  readonly options: ServerOptions;
  /** Who may come in, over all outlets together. */
  readonly admissionOptions: AdmissionConfig;
  /** Every outlet that is to be open. */
  readonly outlets: readonly DesiredOutlet[];
}

/** Gives numbers that were never given before. */
export type Numbering = () => number;

/** No outlets, under what a config says of the server as a whole: what a server is before it starts. */
export function nothingOpen({ options, admissionOptions }: ServerConfig): DesiredState {
  return { options, admissionOptions, outlets: [] };
}

/**
 * What a config asks for. An outlet of before that is still asked for stays itself, whatever has changed about it; one
 * of another service or name at the same address is another outlet, which takes over the welcome socket.
 */
export function configured(
  config: ServerConfig,
  { before, number }: { before: DesiredState; number: Numbering },
): DesiredState {
  const unclaimed = new Set(before.outlets);
  const claim = (fits: (outlet: DesiredOutlet) => boolean) => {
    const found = [...unclaimed].find(fits);
    if (found) unclaimed.delete(found);
    return found;
  };
  const kept = config.outlets.map((asked) => claim((there) => isSameOutlet(there.config, asked)));
  const outlets = config.outlets.map((asked, at): DesiredOutlet => {
    const same = kept[at];
    if (same) return { ...same, config: asked };
    const earlier = claim((there) => isSameSocket(there.config, asked) && !isAnyPort(asked.listen));
    return {
      ...created(asked, number),
      ...earlier && { address: earlier.address, takesOver: earlier.id },
    };
  });
  return { options: config.options, admissionOptions: config.admissionOptions, outlets };
}

/** One more outlet, the last of them. */
export function withOutlet(
  state: DesiredState,
  { config, number }: { config: OutletConfig; number: Numbering },
): DesiredState {
  return { ...state, outlets: [...state.outlets, created(config, number)] };
}

/** One outlet less. */
export function withoutOutlet(state: DesiredState, id: number): DesiredState {
  return { ...state, outlets: state.outlets.filter((outlet) => outlet.id !== id) };
}

/** The same, with the addresses that outlets have got. */
export function bound(state: DesiredState, addresses: ReadonlyMap<number, Address>): DesiredState {
  return {
    ...state,
    outlets: state.outlets.map(({ takesOver: _, ...outlet }) => ({
      ...outlet,
      address: addresses.get(outlet.id) ?? outlet.address,
    })),
  };
}

/** The config that asks for this. */
export function configOf({ options, admissionOptions, outlets }: DesiredState): ServerConfig {
  return { options, admissionOptions, outlets: outlets.map(({ config }) => config) };
}

/** The same, with the real addresses of outlets that have one. */
export function resolvedConfig(state: DesiredState): ServerConfig {
  const outlets = state.outlets.map(({ config, address }) => ({
    ...config,
    listen: address ?? config.listen,
  }));
  return { ...configOf(state), outlets };
}

/** How many outlets the second has and the first has not, the other way round, and how many were changed. */
export function differences(
  before: DesiredState,
  after: DesiredState,
): Pick<Reloaded, "opened" | "closed" | "changed"> {
  const there = new Map(before.outlets.map((outlet) => [outlet.id, outlet.config]));
  const kept = after.outlets.filter(({ id }) => there.has(id));
  return {
    opened: after.outlets.length - kept.length,
    closed: before.outlets.length - kept.length,
    changed: kept.filter(({ id, config }) => !isEqual(there.get(id), config)).length,
  };
}

/** Whether two addresses are in each other's way: the same port, on whatever host, or the same path. */
export function collide(one: Address, other: Address): boolean {
  if (isUnix(one) || isUnix(other)) return isEqual(one, other);
  return one.port === other.port && one.port !== 0;
}

function created(config: OutletConfig, number: Numbering): DesiredOutlet {
  return { id: number(), name: config.name ?? config.service, config, address: undefined };
}

function isSameOutlet(one: OutletConfig, other: OutletConfig): boolean {
  return one.service === other.service && one.name === other.name && isSameSocket(one, other);
}

/** Whether a socket that was bound for the one serves for the other: all else can change while it listens. */
function isSameSocket(one: OutletConfig, other: OutletConfig): boolean {
  return isEqual(one.listen, other.listen) &&
    (isUnix(one.listen) || one.outletOptions.backlog === other.outletOptions.backlog);
}

function isAnyPort(address: Address): boolean {
  return !isUnix(address) && address.port === 0;
}
