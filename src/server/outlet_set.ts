/**
 * The outlets that are open in one thread, and how they become others.
 *
 * @module
 */
import { isEqual } from "../config/equal.ts";
import { Admission, type AdmissionParts } from "../admission/admission.ts";
import type { DescriptorBudget } from "../admission/descriptors.ts";
import type { Connection, Handler } from "../connection/connection.ts";
import type { Address } from "../endpoint/address.ts";
import { Outlet } from "../outlet/outlet.ts";
import type { WelcomeSocket } from "../outlet/welcome_socket.ts";
import { listenOn } from "../transport/listen.ts";
import type { TlsAcceptor } from "../transport/tls/acceptor.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { bindSockets } from "./bind_sockets.ts";
import { configOf, type DesiredOutlet, type DesiredState } from "./desired_state.ts";
import { atRunTime, openService, type ServiceParts } from "./open_service.ts";
import { admissionOptions, outletSettings, serverLimits, tlsAcceptor } from "./settings.ts";

/** What several sets have in common that listen at the same addresses in one process. */
export interface SharedResources {
  /** The counters of an outlet's limits, by its number; those of the server's own, without one. */
  countersOf(outlet?: number): AdmissionParts;
  /** Numbers connections. */
  number(): number;
}

/** What a set of outlets is made with. */
export interface OutletSetParts extends ServiceParts {
  /** What the descriptor limit of the process allows. */
  readonly descriptors: DescriptorBudget | undefined;
  /** What it has in common with others; without it, it is alone. */
  readonly common?: SharedResources | undefined;
  /** Listens, in the system's way unless it is said. */
  readonly listen?: typeof listenOn | undefined;
}

/** How outlets become others. */
export interface OutletChangeOptions {
  /** Milliseconds that connections of outlets that are to be gone may go on. */
  readonly grace: number;
}

/** Where to bind outlets that are new. */
export interface OutletBindOptions {
  /** Where others of this process have bound them, by number; elsewhere it is as their configs say. */
  readonly addresses?: ReadonlyMap<number, Address>;
  /** Whether to make sure that no other program listens at an address that is new; not, unless it is said. */
  readonly alone?: boolean;
}

/** An outlet with its service. */
interface OpenedOutlet {
  readonly outlet: Outlet;
  readonly config: DesiredOutlet["config"];
  readonly handler: Handler;
  readonly tls: TlsAcceptor | undefined;
  /** Aborted when the service is opened anew, under other options. */
  readonly replaced: AbortController;
}

/** A change of outlets that is ready to be made. */
export interface PreparedOutlets {
  /** Binds what is new. It can fail, and nobody outside is told of it yet. */
  bind(options?: OutletBindOptions): Promise<void>;
  /** Swaps what is changed, and tells it. It cannot fail. */
  commit(): Promise<void>;
  /** Undoes what was bound, and throws away what was prepared. */
  undo(): Promise<void>;
  /** Where the outlets listen that are new, once they are bound. */
  readonly addresses: ReadonlyMap<number, Address>;
}

type Acceptors = ReadonlyMap<number, TlsAcceptor | undefined>;

const draining = new TaskScope("waiting for an outlet to drain", { without: "the others drain" });

/** Outlets by number. It makes no change by itself: see {@linkcode prepare}. */
export class OutletSet {
  readonly #parts: OutletSetParts;
  readonly #admission: Admission;
  #opened: ReadonlyMap<number, OpenedOutlet> = new Map();
  readonly #draining = new Map<number, Outlet>();
  /** The outlets that the server was started with. */
  #first: ReadonlySet<number> | undefined;

  /** No outlets yet. */
  constructor(parts: OutletSetParts) {
    this.#parts = parts;
    this.#admission = new Admission({}, parts.common?.countersOf());
  }

  /** The open outlets, in the order in which they were asked for. */
  get outlets(): Iterable<Outlet> {
    return [...this.#opened.values()].map(({ outlet }) => outlet);
  }

  /** Those that drain. */
  get draining(): Iterable<Outlet> {
    return [...this.#draining.values()].filter(({ isGone }) => !isGone);
  }

  /** How many connections all of them take at the same time. */
  get maxConnections(): number {
    return this.#admission.options.maxConnections ?? Infinity;
  }

  /** The outlet of this number, open or draining. */
  find(id: number): Outlet | undefined {
    return this.#opened.get(id)?.outlet ?? this.#draining.get(id);
  }

  /** Every connection that is open now, also those of outlets that drain. */
  *connections(): Generator<{ outlet: Outlet; connection: Connection }> {
    for (const outlet of [...this.outlets, ...this.draining]) {
      for (const connection of outlet.connections) yield { outlet, connection };
    }
  }

  /** Gives an outlet this long to end; resolves to how many of its connections had to be cut. */
  async drain(id: number, { grace }: { grace: number }): Promise<number> {
    return await this.#draining.get(id)?.stop({ grace }) ?? 0;
  }

  /** Gives every outlet this long to end; resolves to how many connections had to be cut. */
  async stop({ grace }: { grace: number }): Promise<number> {
    for (const outlet of this.outlets) this.#drain(outlet, grace);
    this.#opened = new Map();
    const cuts = await Promise.all(
      [...this.#draining.values()].map((outlet) => outlet.stop({ grace })),
    );
    this.#admission[Symbol.dispose]();
    return cuts.reduce((sum, cut) => sum + cut, 0);
  }

  /**
   * Makes ready to become what is desired: certificates are read; nothing is bound, and nobody notices.
   *
   * @throws {Error} which says what can't be had
   */
  async prepare(
    next: DesiredState,
    { grace }: OutletChangeOptions,
  ): Promise<PreparedOutlets> {
    const acceptors = await this.#readCertificates(next);
    // What an earlier change has closed may be wanted again: its sockets accept their last clients still.
    await Promise.all([...this.#draining.values()].map((outlet) => outlet.socketClosed()));
    const undo = new AsyncDisposableStack();
    let sockets: ReadonlyMap<number, WelcomeSocket> = new Map();
    return {
      bind: async ({ addresses = new Map(), alone = false } = {}) => {
        sockets = await bindSockets(next, {
          opened: this.#opened,
          listen: this.#parts.listen ?? listenOn,
          shared: this.#parts.common !== undefined,
          addresses,
          alone,
          undo,
        });
      },
      commit: () => {
        this.#become(next, { acceptors, sockets, grace });
        return Promise.resolve();
      },
      undo: () => undo.disposeAsync(),
      get addresses() {
        return new Map([...sockets].map(([id, { address }]) => [id, address]));
      },
    };
  }

  /** What shakes hands with the clients of outlets that are new or changed, where they speak TLS. */
  async #readCertificates(next: DesiredState): Promise<Acceptors> {
    const changed = next.outlets.filter(({ id, config }) =>
      !isEqual(this.#opened.get(id)?.config, config)
    );
    return new Map(
      await Promise.all(changed.map(async ({ id, config }) => {
        const failed = (reason: string) => this.#tellFault(id, reason);
        return [id, await tlsAcceptor(config.outletOptions, failed)] as const;
      })),
    );
  }

  #become(
    next: DesiredState,
    { acceptors, sockets, grace }: {
      acceptors: Acceptors;
      sockets: ReadonlyMap<number, WelcomeSocket>;
      grace: number;
    },
  ): void {
    const before = this.#opened;
    this.#first ??= new Set(next.outlets.map(({ id }) => id));
    this.#admission.change(serverLimits(configOf(next), this.#parts.descriptors));
    this.#opened = new Map(next.outlets.map((desired) => {
      const { id, config } = desired;
      const there = before.get(id);
      if (there && isEqual(there.config, config)) return [id, there];
      const outlet = there?.outlet ?? this.#created(desired, sockets.get(id)!);
      return [id, this.#open(outlet, { there, config, tls: acceptors.get(id) })];
    }));
    for (const desired of next.outlets) this.#serve(desired, before.get(desired.id));
    for (const [id, { outlet }] of before) {
      if (!this.#opened.has(id)) this.#drain(outlet, grace);
    }
  }

  #created({ id, name, config }: DesiredOutlet, socket: WelcomeSocket): Outlet {
    const { common, eventBus } = this.#parts;
    return new Outlet({
      id,
      name,
      socket,
      eventBus,
      number: common?.number,
      admission: new Admission(admissionOptions(config.admissionOptions), {
        parent: this.#admission,
        ...common?.countersOf(id),
      }),
    });
  }

  /** Opens an outlet's service, unless it is open just like that. */
  #open(
    outlet: Outlet,
    { there, config, tls }:
      & { there: OpenedOutlet | undefined }
      & Pick<OpenedOutlet, "config" | "tls">,
  ): OpenedOutlet {
    if (there && isEqual(there.config.serviceOptions, config.serviceOptions)) {
      return { ...there, config, tls };
    }
    const replaced = new AbortController();
    const signal = AbortSignal.any([outlet.stopping, replaced.signal]);
    const parts = this.#first!.has(outlet.id) ? this.#parts : atRunTime(this.#parts);
    const handler = openService(config, { outlet, signal, parts });
    return { outlet, config, tls, handler, replaced };
  }

  #serve({ id }: DesiredOutlet, before: OpenedOutlet | undefined): void {
    const opened = this.#opened.get(id)!;
    if (before === opened) return;
    const { outlet, config } = opened;
    outlet.admission.change(admissionOptions(config.admissionOptions));
    const failed = (reason: string) => this.#tellFault(id, reason);
    outlet.serve(outletSettings(config, { ...opened, failed }));
    if (before && before.handler !== opened.handler) before.replaced.abort();
  }

  #drain(outlet: Outlet, grace: number): void {
    this.#draining.set(outlet.id, outlet);
    draining.run(outlet.stop({ grace }).finally(() => this.#draining.delete(outlet.id)));
  }

  #tellFault(id: number, reason: string): void {
    const outlet = this.find(id);
    if (!outlet) return;
    const { name, address } = outlet;
    this.#parts.eventBus.publish({ event: "failed", id, outlet: name, address, reason });
  }
}
