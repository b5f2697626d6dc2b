/**
 * The door: who may come in, how many at a time, and how often.
 *
 * @module
 */
import { Acl, type RuleRefusal } from "./acl.ts";
import { type Ip, peerKey, readIp } from "../endpoint/ip.ts";
import { RateLimiter } from "./rate_limiter.ts";
import { LocalPerAddressCounter, type PerAddressCounter } from "./per_address.ts";
import { ConnectionCounter, type Counter } from "./counter.ts";

/** What a gate allows. What is not said is not limited. */
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

/** What became of somebody at the gate. Disposing it gives the place inside back. */
export class Permit implements Disposable {
  /** Why it is turned away; `undefined` where it is admitted. */
  readonly refusal: Refusal | undefined;
  readonly #leave: (peer: string | undefined) => void;
  readonly #peer: string | undefined;
  #active: boolean;

  /** A verdict on the peer of this key; whoever is not refused is inside, and leaves later. */
  constructor(
    refusal: Refusal | undefined,
    { peer, leave }: { peer: string | undefined; leave: (peer: string | undefined) => void },
  ) {
    this.refusal = refusal;
    this.#peer = peer;
    this.#leave = leave;
    this.#active = refusal === undefined;
  }

  /** Gives the place back, once. */
  [Symbol.dispose](): void {
    if (this.#active) this.#leave(this.#peer);
    this.#active = false;
  }
}

/** What a gate is built into. */
export interface AdmissionParts {
  /** The gate that those who pass this one come to next. */
  readonly parent?: Admission | undefined;
  /** Where those inside are counted. */
  readonly active?: Counter;
  /** Where those inside are counted by their addresses. */
  readonly perAddress?: PerAddressCounter;
}

/** A door with rules and limits. Behind it there may be another, which counts the clients of several. */
export class Admission {
  readonly #parent: Admission | undefined;
  readonly #active: Counter;
  readonly #perAddress: PerAddressCounter;
  #options!: AdmissionOptions;
  #acl!: Acl;
  #rate: RateLimiter | undefined;

  /** A gate with nobody inside. Who passes it has to pass the one behind it as well. */
  constructor(
    options: AdmissionOptions,
    {
      parent: behind,
      active: inside = new ConnectionCounter(),
      perAddress: peers = new LocalPerAddressCounter(),
    }: AdmissionParts = {},
  ) {
    this.#parent = behind;
    this.#active = inside;
    this.#perAddress = peers;
    this.change(options);
  }

  /** What it allows. */
  get options(): AdmissionOptions {
    return this.#options;
  }

  /** How many are inside. */
  get count(): number {
    return this.#active.count;
  }

  /** Holds for whoever comes next; nobody who is inside is sent away. */
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
    const peer = ip && peerKey(ip);
    const refusal = this.#ruleAgainst(ip) ?? this.#enter(peer);
    return new Permit(refusal, { peer, leave: this.#leave });
  }

  /** Whether one more would be too many. */
  get full(): boolean {
    return this.#active.full || (this.#parent?.full ?? false);
  }

  /** Resolves when one more may be inside, or the signal is aborted. */
  async waitForCapacity(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.full) {
      await (this.#active.full
        ? this.#active.waitForCapacity(signal)
        : this.#parent?.waitForCapacity(signal));
    }
  }

  #ruleAgainst(ip: Ip | undefined): Refusal | undefined {
    if (ip === undefined) return undefined;
    return this.#acl.refusal(ip) ?? (this.#parent && this.#parent.#ruleAgainst(ip));
  }

  #enter(peer: string | undefined): Refusal | undefined {
    if (!this.#active.acquire()) return "full";
    const refusal = this.#limitOn(peer) ?? (this.#parent && this.#parent.#enter(peer));
    if (refusal !== undefined) this.#active.release();
    else if (peer !== undefined) this.#perAddress.enter(peer);
    return refusal;
  }

  #limitOn(peer: string | undefined): Refusal | undefined {
    if (peer === undefined) return undefined;
    const { maxPerIp = Infinity } = this.#options;
    if (this.#perAddress.count(peer) >= maxPerIp) return "too many from its address";
    return this.#rate?.take(peer) === false ? "over the rate" : undefined;
  }

  readonly #leave = (peer: string | undefined): void => {
    if (peer !== undefined) this.#perAddress.leave(peer);
    this.#active.release();
    if (this.#parent) this.#parent.#leave(peer);
  };
}
