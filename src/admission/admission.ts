/**
 * Admission: who may come in, how many at a time, and how often.
 *
 * @module
 */
import { Acl, type RuleRefusal } from "./acl.ts";
import { type Ip, peerKey, readIp } from "../endpoint/ip.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { LocalPerAddressCounter, type PerAddressCounter } from "./per_address.ts";
import { ConnectionCounter, type Counter } from "./counter.ts";

/** What is allowed. What is not said is not limited. */
export interface AdmissionOptions {
  /** Networks that may come in; when there are any, no others may. */
  readonly allow?: readonly string[];
  /** Networks that may not, whatever is allowed. */
  readonly deny?: readonly string[];
  /** Connections at the same time. */
  readonly maxConnections?: number | undefined;
  /** Connections at the same time from one address (of IPv6: one /64). */
  readonly maxPerIp?: number | undefined;
  /** New connections a second from one address. */
  readonly rate?: number | undefined;
  /** How many of those may come at once; as many as come in a second, where it is not said. */
  readonly burst?: number | undefined;
}

/** Why somebody is turned away. There are no other reasons, so that they can be counted apart. */
export type Refusal = RuleRefusal | "full" | "too many from its address" | "over the rate";

/** A place for one client, or why there is none. Disposing it gives the place back. */
export class Permit implements Disposable {
  readonly #admission: Admission;
  #refusal: Refusal | undefined;
  #peer: string | undefined;
  #isPlaced: boolean;

  /** A place, unless it is refused. */
  constructor(admission: Admission, refusal: Refusal | undefined) {
    this.#admission = admission;
    this.#refusal = refusal;
    this.#isPlaced = refusal === undefined;
  }

  /** Why the client is turned away; `undefined` where it is not. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** Judges a client that has its place already, once its address is known. */
  identify(host: string | undefined): Refusal | undefined {
    const ip = host === undefined ? undefined : readIp(host);
    this.#refusal = this.#admission.ruleAgainst(ip) ?? this.limit(ip);
    if (this.#refusal !== undefined) this[Symbol.dispose]();
    return this.#refusal;
  }

  /** Counts the client's address, unless that would be too many or too often. */
  limit(ip: Ip | undefined): Refusal | undefined {
    const peer = ip && peerKey(ip);
    this.#refusal = peer === undefined ? undefined : this.#admission.enter(peer);
    if (this.#refusal === undefined) this.#peer = peer;
    else this[Symbol.dispose]();
    return this.#refusal;
  }

  /** Gives the place back, once. */
  [Symbol.dispose](): void {
    if (this.#isPlaced) this.#admission.release(this.#peer);
    this.#isPlaced = false;
  }
}

/** What an admission is built into. */
export interface AdmissionParts {
  /** The admission that those who pass this one come to next. */
  readonly parent?: Admission | undefined;
  /** Where active connections are counted. */
  readonly active?: Counter;
  /** Where active connections are counted by their addresses. */
  readonly perAddress?: PerAddressCounter;
}

/** Rules and limits of one outlet. Its parent, if there is one, counts the clients of several. */
export class Admission implements Disposable {
  readonly #parent: Admission | undefined;
  readonly #active: Counter;
  readonly #perAddress: PerAddressCounter;
  #options!: AdmissionOptions;
  #acl!: Acl;
  #rate: RateLimiter | undefined;

  /** No connection is active. Who is admitted has to be admitted by the parent as well. */
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

  /** What it allows. */
  get options(): AdmissionOptions {
    return this.#options;
  }

  /** How many connections are active. */
  get count(): number {
    return this.#active.count;
  }

  /** Holds for whoever comes next; no connection is closed. */
  change(options: AdmissionOptions): void {
    const { rate, burst = rate } = options;
    this.#acl = new Acl(options);
    this.#options = options;
    this.#active.limit = options.maxConnections ?? Infinity;
    if (rate === undefined || burst === undefined) this.#rate = undefined;
    else if (this.#rate) this.#rate.options = { rate, burst };
    else this.#rate = new RateLimiter({ rate, burst });
  }

  /** Judges a client by its host address; one without any, behind a Unix socket, is only counted. */
  admit(host: string | undefined): Permit {
    const ip = host === undefined ? undefined : readIp(host);
    const rule = this.ruleAgainst(ip);
    if (rule !== undefined) return new Permit(this, rule);
    const permit = this.reserve();
    if (permit.refusal === undefined) permit.limit(ip);
    return permit;
  }

  /** A place for a client whose address is not known yet: from its first moment on it is counted. */
  reserve(): Permit {
    return new Permit(this, this.#acquire() ? undefined : "full");
  }

  /** Whether one more would be too many. */
  get full(): boolean {
    return this.#active.full || (this.#parent?.full ?? false);
  }

  /** Resolves when there may be one more, or the signal is aborted. */
  async waitForCapacity(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.full) {
      await (this.#active.full
        ? this.#active.waitForCapacity(signal)
        : this.#parent?.waitForCapacity(signal));
    }
  }

  /** The rule that keeps the address out, here or further on. For {@linkcode Permit}. */
  ruleAgainst(ip: Ip | undefined): Refusal | undefined {
    if (ip === undefined) return undefined;
    return this.#acl.refusal(ip) ?? this.#parent?.ruleAgainst(ip);
  }

  /** Counts an address in, or says which limit it is over, here or further on. For {@linkcode Permit}. */
  enter(peer: string): Refusal | undefined {
    const refusal = this.#limitOn(peer) ?? this.#parent?.enter(peer);
    if (refusal === undefined) this.#perAddress.enter(peer);
    return refusal;
  }

  /** Gives a place back, here and further on. For {@linkcode Permit}. */
  release(peer: string | undefined): void {
    if (peer !== undefined) this.#perAddress.leave(peer);
    this.#active.release();
    this.#parent?.release(peer);
  }

  /** Forgets who came at what rate: nobody is to come any more. */
  [Symbol.dispose](): void {
    this.#rate?.[Symbol.dispose]();
  }

  #acquire(): boolean {
    if (!this.#active.acquire()) return false;
    if (this.#parent === undefined || this.#parent.#acquire()) return true;
    this.#active.release();
    return false;
  }

  #limitOn(peer: string): Refusal | undefined {
    const { maxPerIp = Infinity } = this.#options;
    if (this.#perAddress.count(peer) >= maxPerIp) return "too many from its address";
    return this.#rate?.take(peer) === false ? "over the rate" : undefined;
  }
}
