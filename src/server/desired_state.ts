/**
 * The desired state of a server as one immutable value: every outlet with its id, and the
 * settings of the server as a whole. A change replaces the value.
 *
 * @module
 */
import { isEqual } from "../config/equal.ts";
import { byPort, portKey } from "../config/addresses.ts";
import type { AdmissionConfig } from "../config/admission_options.ts";
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import type { ServerOptions } from "../config/server_config.ts";
import { type Address, isUdp, isUnix } from "../endpoint/address.ts";
import type { Reloaded } from "../events/server_events.ts";

/** An outlet that should be open. */
export interface DesiredOutlet {
  /** Its id, which never changes. */
  readonly id: number;
  /** Its name in events. */
  readonly name: string;
  /** Its config. */
  readonly config: OutletConfig;
  /**
   * The bound address; `undefined` until it is bound for the first time, because port 0 is
   * resolved then.
   */
  readonly address: Address | undefined;
  /** The id of the outlet whose listening socket it takes over. */
  readonly takesOver?: number;
}

/** The desired state. Plain data that can be posted to workers. */
export interface DesiredState {
  /** The options of the server as a whole. */
  readonly options: ServerOptions;
  /** The limits of all outlets together. */
  readonly admissionOptions: AdmissionConfig;
  /** Every outlet that should be open. */
  readonly outlets: readonly DesiredOutlet[];
}

/** Returns a new id with each call. */
export type Numbering = () => number;

/** The state before the start: the server's options, and no outlets. */
export function nothingOpen({ options, admissionOptions }: ServerConfig): DesiredState {
  return { options, admissionOptions, outlets: [] };
}

/**
 * The state that a config describes. An outlet with the same service, name, address and backlog
 * as before keeps its id. Another service or name at the same address is a new outlet that takes
 * over the listening socket.
 */
export function configured(
  config: ServerConfig,
  { before, number }: { before: DesiredState; number: Numbering },
): DesiredState {
  const there = byPort(before.outlets, ({ config }) => config.listen);
  const matched = new Set<DesiredOutlet>();
  const match = (
    asked: OutletConfig,
    fits: (one: OutletConfig, other: OutletConfig) => boolean,
  ) => {
    const found = there.get(portKey(asked.listen))
      ?.find((outlet) => !matched.has(outlet) && fits(outlet.config, asked));
    if (found) matched.add(found);
    return found;
  };
  const matches = config.outlets.map((asked) => match(asked, isSameOutlet));
  const outlets = config.outlets.map((asked, at): DesiredOutlet => {
    const same = matches[at];
    if (same) return isEqual(same.config, asked) ? same : { ...same, config: asked };
    const earlier = isAnyPort(asked.listen) ? undefined : match(asked, isSameSocket);
    return {
      ...created(asked, number),
      ...earlier && { address: earlier.address, takesOver: earlier.id },
    };
  });
  return { options: config.options, admissionOptions: config.admissionOptions, outlets };
}

/** The state with more outlets at the end. */
export function withOutlets(
  state: DesiredState,
  { configs, number }: { configs: readonly OutletConfig[]; number: Numbering },
): DesiredState {
  const more = configs.map((config) => created(config, number));
  return { ...state, outlets: [...state.outlets, ...more] };
}

/** The state without one outlet. */
export function withoutOutlet(state: DesiredState, id: number): DesiredState {
  return { ...state, outlets: state.outlets.filter((outlet) => outlet.id !== id) };
}

/** The state with the addresses at which the outlets were bound. */
export function bound(state: DesiredState, addresses: ReadonlyMap<number, Address>): DesiredState {
  return {
    ...state,
    outlets: state.outlets.map(({ takesOver: _, ...outlet }) => ({
      ...outlet,
      address: addresses.get(outlet.id) ?? outlet.address,
    })),
  };
}

/** The config that describes this state. */
export function configOf({ options, admissionOptions, outlets }: DesiredState): ServerConfig {
  return { options, admissionOptions, outlets: outlets.map(({ config }) => config) };
}

/** The same config with the bound addresses. */
export function resolvedConfig(state: DesiredState): ServerConfig {
  const outlets = state.outlets.map(({ config, address }) => ({
    ...config,
    listen: address ?? config.listen,
  }));
  return { ...configOf(state), outlets };
}

/** How many outlets were opened, closed and changed from one state to the next. */
export function differences(
  before: DesiredState,
  after: DesiredState,
): Pick<Reloaded, "opened" | "closed" | "changed"> {
  const there = new Map(before.outlets.map((outlet) => [outlet.id, outlet.config]));
  const retained = after.outlets.filter(({ id }) => there.has(id));
  return {
    opened: after.outlets.length - retained.length,
    closed: before.outlets.length - retained.length,
    changed: retained.filter(({ id, config }) => !isEqual(there.get(id), config)).length,
  };
}

/** Whether two addresses may conflict: the same port on any host, or the same path. */
export function collide(one: Address, other: Address): boolean {
  if (isUnix(one) || isUnix(other)) return isEqual(one, other);
  return isUdp(one) === isUdp(other) && one.port === other.port && one.port !== 0;
}

function created(config: OutletConfig, number: Numbering): DesiredOutlet {
  return { id: number(), name: config.name ?? config.service, config, address: undefined };
}

function isSameOutlet(one: OutletConfig, other: OutletConfig): boolean {
  return one.service === other.service && one.name === other.name && isSameSocket(one, other);
}

/**
 * Whether the listening socket of the one can serve the other. Everything else can change while
 * it listens.
 */
function isSameSocket(one: OutletConfig, other: OutletConfig): boolean {
  return isEqual(one.listen, other.listen) &&
    (isUnix(one.listen) || isUdp(one.listen) ||
      one.outletOptions.backlog === other.outletOptions.backlog);
}

function isAnyPort(address: Address): boolean {
  return !isUnix(address) && address.port === 0;
}
