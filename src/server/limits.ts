/**
 * The limits of a server as a whole, and of each outlet.
 *
 * @module
 */
import { Admission, type AdmissionOptions, type AdmissionParts } from "../admission/admission.ts";
import type { DescriptorBudget } from "../admission/descriptors.ts";
import type { AdmissionConfig } from "../config/admission_options.ts";
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";
import { MAX_SESSIONS } from "../config/udp_rules.ts";
import { isUdp } from "../endpoint/address.ts";
import { SERVICES } from "../services/registry.ts";

/** What the outlet sets of several threads share. */
export interface SharedResources {
  /** The counters of an outlet's limits, by id; without an id, those of the server. */
  countersOf(outlet?: number): AdmissionParts;
  /** Returns the next connection id. */
  number(): number;
}

/** The part of the descriptors that sessions over UDP may take. */
const SESSION_SHARE = 1 / 4;

/** The limits of a server. Sessions over UDP are counted apart, because their senders may be forged. */
export class ServerLimits implements Disposable {
  readonly #connections: Admission;
  readonly #sessions = new Admission({});
  #sessionsEach = Infinity;

  /** Takes the counters that several threads share. */
  constructor(shared: AdmissionParts | undefined) {
    this.#connections = new Admission({}, shared);
  }

  /** The limit of connections over all outlets. */
  get maxConnections(): number {
    return this.#connections.options.maxConnections ?? Infinity;
  }

  /** Applies another config. The limits of UDP outlets depend on it, too. */
  change(config: ServerConfig, descriptors: DescriptorBudget | undefined): void {
    this.#connections.change(serverLimits(config, descriptors));
    this.#sessions.change(admissionOptions(config.admissionOptions));
    const { free = Infinity } = descriptors ?? {};
    const taken = config.outlets.filter(isOverUdp).reduce(
      (sum, one) => sum + descriptorsOf(one),
      0,
    );
    this.#sessionsEach = taken === 0
      ? Infinity
      : Math.max(Math.floor(free * SESSION_SHARE / taken), 1);
  }

  /** The admission of a new outlet. */
  admissionOf(config: OutletConfig, counters: AdmissionParts | undefined): Admission {
    const parent = isOverUdp(config) ? this.#sessions : this.#connections;
    return new Admission(this.limitsOf(config), { parent, ...counters });
  }

  /** The limits of an outlet. The number of UDP sessions always has one. */
  limitsOf(config: OutletConfig): AdmissionOptions {
    const limits = admissionOptions(config.admissionOptions);
    if (!isOverUdp(config)) return limits;
    const { maxConnections = MAX_SESSIONS } = limits;
    const most = descriptorsOf(config) === 0 ? Infinity : this.#sessionsEach;
    return { ...limits, maxConnections: Math.min(maxConnections, most) };
  }

  /** Discards the state of rate limiters. */
  [Symbol.dispose](): void {
    this.#connections[Symbol.dispose]();
    this.#sessions[Symbol.dispose]();
  }
}

/** Whether it is an outlet for datagrams. */
function isOverUdp({ listen }: OutletConfig): boolean {
  return isUdp(listen);
}

/** The limits that admission enforces. */
function admissionOptions(options: AdmissionConfig): AdmissionOptions {
  const { allow, deny, rate, burst } = options;
  return {
    allow,
    deny,
    rate,
    burst,
    maxConnections: options["max-connections"],
    maxPerIp: options["max-per-ip"],
  };
}

/**
 * The number of descriptors that a client of this outlet takes: its socket, which the sessions of an
 * address share over UDP, a capture file, and what its service needs.
 */
function descriptorsOf(config: OutletConfig): number {
  const socket = isOverUdp(config) ? 0 : 1;
  const capture = config.outletOptions.capture === undefined ? 0 : 1;
  return socket + capture + (SERVICES.get(config.service)!.descriptors ?? 0);
}

/**
 * The limits of all connections together. Their number never exceeds what the descriptor limit
 * allows, less the share of sessions over UDP that take descriptors.
 */
export function serverLimits(
  { admissionOptions: options, outlets }: ServerConfig,
  descriptors: DescriptorBudget | undefined,
): AdmissionOptions {
  const limits = admissionOptions(options);
  const { maxConnections = Infinity } = limits;
  const { free = Infinity } = descriptors ?? {};
  const hasShare = outlets.some((config) => isOverUdp(config) && descriptorsOf(config) > 0);
  const left = hasShare ? free * (1 - SESSION_SHARE) : free;
  const each = outlets.filter((config) => !isOverUdp(config)).map(descriptorsOf);
  const enough = Math.max(Math.floor(left / Math.max(1, ...each)), 1);
  return { ...limits, maxConnections: Math.min(maxConnections, enough) };
}
