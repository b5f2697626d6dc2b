/**
 * Connection admission control: access rules, connection limits and rate limits.
 *
 * @module
 */
import { Acl, type RuleRefusal } from "../endpoint/acl.ts";
import { type Ip, peerKey, readIp } from "../endpoint/ip.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { LocalPerAddressCounter, type PerAddressCounter } from "./per_address.ts";
import { ConnectionCounter, type Counter } from "./counter.ts";

/** The rules and limits; by default there are none. */
export interface AdmissionOptions {
  /** Networks that may connect; if empty, all may. */
  readonly allow?: readonly string[];
  /** Networks that may not connect, even if allowed. */
  readonly deny?: readonly string[];
  /** The most concurrent connections. */
  readonly maxConnections?: number | undefined;
  /** The most concurrent connections from one IPv4 address or one IPv6 /64. */
  readonly maxPerIp?: number | undefined;
  /** New connections per second from one address or /64. */
  readonly rate?: number | undefined;
  /** How many of those may arrive at once; `rate` by default. */
  readonly burst?: number | undefined;
}

/** Why a client is refused. The set is closed, so that metrics can count each. */
export type RefusalReason =
  | RuleRefusal
  | "connection limit reached"
  | "per-address limit reached"
  | "rate limit exceeded";

/** A slot for one client, or the reason why it is refused. Disposing it releases the slot. */
export class Permit implements Disposable {
  readonly #admission: Admission;
  #refusal: RefusalReason | undefined;
  #peer: string | undefined;
  #isPlaced: boolean;

  /** Holds a slot unless `refusal` is given. */
  constructor(admission: Admission, refusal: RefusalReason | undefined) {
    this.#admission = admission;
    this.#refusal = refusal;
    this.#isPlaced = refusal === undefined;
  }

  /** Why the client is refused; `undefined` where it is admitted. */
  get refusal(): RefusalReason | undefined {
    return this.#refusal;
  }

  /** Checks a client that already has its slot, once its address is known; a refusal releases the slot. */
  identify(host: string | undefined): RefusalReason | undefined {
    const ip = host === undefined ? undefined : readIp(host);
    this.#refusal = this.#admission.ruleAgainst(ip) ?? this.limit(ip);
    if (this.#refusal !== undefined) this[Symbol.dispose]();
    return this.#refusal;
  }

  /** Counts the client's address, unless it is over `maxPerIp` or the rate; a refusal releases the slot. */
  limit(ip: Ip | undefined): RefusalReason | undefined {
    const peer = ip && peerKey(ip);
    this.#refusal = peer === undefined ? undefined : this.#admission.enter(peer);
    if (this.#refusal === undefined) this.#peer = peer;
    else this[Symbol.dispose]();
    return this.#refusal;
  }

  /** Releases the slot. May be called more than once. */
  [Symbol.dispose](): void {
    if (this.#isPlaced) this.#admission.release(this.#peer);
    this.#isPlaced = false;
  }
}

/** What an admission is built from. */
export interface AdmissionParts {
  /** An admission whose limits apply as well. */
  readonly parent?: Admission | undefined;
  /** Counts active connections. */
  readonly active?: Counter;
  /** Counts active connections by client address. */
  readonly perAddress?: PerAddressCounter;
}

/** The rules and limits of one outlet. A parent adds those of the server, which counts all outlets together. */
export class Admission implements Disposable {
  readonly #parent: Admission | undefined;
  readonly #active: Counter;
  readonly #perAddress: PerAddressCounter;
  #options!: AdmissionOptions;
  #acl!: Acl;
  #rate: RateLimiter | undefined;

  /** Starts without active connections. */
  constructor(
    options: AdmissionOptions,
    { parent, active = new ConnectionCounter(), perAddress = new LocalPerAddressCounter() }:
      AdmissionParts = {},
  ) {
    this.#parent = parent;
    this.#active = active;
    this.#perAddress = perAddress;
    this.change(options);
  }

  /** The current rules and limits. */
  get options(): AdmissionOptions {
    return this.#options;
  }

  /** The number of active connections. */
  get count(): number {
    return this.#active.count;
  }

  /** Changes the rules and limits for new clients; open connections stay. */
  change(options: AdmissionOptions): void {
    const { rate, burst = rate } = options;
    this.#acl = new Acl(options);
    this.#options = options;
    this.#active.limit = options.maxConnections ?? Infinity;
    if (rate === undefined || burst === undefined) this.#rate = undefined;
    else if (this.#rate) this.#rate.options = { rate, burst };
    else this.#rate = new RateLimiter({ rate, burst });
  }

  /** Checks a client by its IP address; without one, on a Unix socket, it is only counted. */
  admit(host: string | undefined): Permit {
    const ip = host === undefined ? undefined : readIp(host);
    const rule = this.ruleAgainst(ip);
    if (rule !== undefined) return new Permit(this, rule);
    const permit = this.reserve();
    if (permit.refusal === undefined) permit.limit(ip);
    return permit;
  }

  /** Takes a slot for a client whose address is not known yet. */
  reserve(): Permit {
    return new Permit(this, this.#acquire() ? undefined : "connection limit reached");
  }

  /** Whether the connection limit is reached, here or in the parent. */
  get full(): boolean {
    return this.#active.full || (this.#parent?.full ?? false);
  }

  /** Resolves when a slot may be free, or the signal is aborted. */
  async waitForCapacity(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.full) {
      await (this.#active.full
        ? this.#active.waitForCapacity(signal)
        : this.#parent?.waitForCapacity(signal));
    }
  }

  /** The rule that refuses the address, here or in the parent. For {@linkcode Permit}. */
  ruleAgainst(ip: Ip | undefined): RefusalReason | undefined {
    if (ip === undefined) return undefined;
    return this.#acl.refusal(ip) ?? this.#parent?.ruleAgainst(ip);
  }

  /** Counts an address, or returns the limit that it exceeds, here or in the parent. For {@linkcode Permit}. */
  enter(peer: string): RefusalReason | undefined {
    const refusal = this.#limitOn(peer) ?? this.#parent?.enter(peer);
    if (refusal === undefined) this.#perAddress.enter(peer);
    return refusal;
  }

  /** Releases a slot, here and in the parent. For {@linkcode Permit}. */
  release(peer: string | undefined): void {
    if (peer !== undefined) this.#perAddress.leave(peer);
    this.#active.release();
    this.#parent?.release(peer);
  }

  /** Discards the state of the rate limiter. */
  [Symbol.dispose](): void {
    this.#rate?.[Symbol.dispose]();
  }

  #acquire(): boolean {
    if (!this.#active.acquire()) return false;
    if (this.#parent === undefined || this.#parent.#acquire()) return true;
    this.#active.release();
    return false;
  }

  #limitOn(peer: string): RefusalReason | undefined {
    const { maxPerIp = Infinity } = this.#options;
    if (this.#perAddress.count(peer) >= maxPerIp) return "per-address limit reached";
    return this.#rate?.take(peer) === false ? "rate limit exceeded" : undefined;
  }
}
