/**
 * The open outlets of one thread, and how a change is applied to them.
 *
 * @module
 */
import { isEqual } from "../config/equal.ts";
import type { DescriptorBudget } from "../admission/descriptors.ts";
import { isUdp } from "../endpoint/address.ts";
import type { LiveConnection } from "./handle.ts";
import { listen } from "../transport/listen.ts";
import type { TlsAcceptor } from "../transport/tls/acceptor.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { mapInTurns } from "../scheduling/turn_budget.ts";
import { bindSockets } from "./bind_sockets.ts";
import { configOf, type DesiredOutlet, type DesiredState } from "./desired_state.ts";
import { atRunTime, openService, type ServiceParts } from "./open_service.ts";
import type { OutletChangeOptions, OutletManager, PreparedOutlets } from "./outlet_manager.ts";
import { ServerLimits, type SharedResources } from "./limits.ts";
import { OutputFiles } from "./output_files.ts";
import { tlsAcceptor } from "./settings.ts";
import {
  type AnyOutlet,
  type AnySocket,
  applySettings,
  createOutlet,
  type OpenedOutlet,
  type SettingsParts,
} from "./serve_outlet.ts";

/** What a set of outlets needs. */
export interface OutletSetParts extends ServiceParts {
  /** The descriptors that the process may use. */
  readonly descriptors: DescriptorBudget | undefined;
  /** What it shares with the sets of other threads; absent without workers. */
  readonly common?: SharedResources | undefined;
  /** Called when the client of an outlet with `once` has been served. */
  readonly onServed?: SettingsParts["onServed"];
  /** Listens; `listen` by default. */
  readonly listen?: typeof listen | undefined;
}

type Acceptors = ReadonlyMap<number, TlsAcceptor | undefined>;

/** Outlets opened, changed or closed in one turn of the event loop. */
const TURN = { units: 64, clockEvery: 8 };

const draining = new TaskScope("waiting for an outlet to drain", {
  consequence: "the others drain",
});

/** The outlets of one thread, by id. {@linkcode OutletSet.prepare} changes them. */
export class OutletSet implements OutletManager<AnyOutlet> {
  readonly #parts: OutletSetParts;
  readonly #limits: ServerLimits;
  #opened: ReadonlyMap<number, OpenedOutlet> = new Map();
  readonly #draining = new Map<number, AnyOutlet>();
  readonly #outputs: OutputFiles;
  /** The ids of the outlets that the server was started with. */
  #first: ReadonlySet<number> | undefined;
  #committed: Promise<void> | undefined;

  /** An empty set. */
  constructor(parts: OutletSetParts) {
    this.#parts = parts;
    this.#outputs = new OutputFiles(parts.standard);
    this.#limits = new ServerLimits(parts.common?.countersOf());
  }

  /** The open outlets, in the order of the config. */
  get outlets(): Iterable<AnyOutlet> {
    return [...this.#opened.values()].map(({ outlet }) => outlet);
  }

  /** The draining outlets. */
  get draining(): Iterable<AnyOutlet> {
    return [...this.#draining.values()].filter(({ isStopped }) => !isStopped);
  }

  /** The limit of connections over all outlets. */
  get maxConnections(): number {
    return this.#limits.maxConnections;
  }

  /** The outlet with this id, open or draining. */
  find(id: number): AnyOutlet | undefined {
    return this.#opened.get(id)?.outlet ?? this.#draining.get(id);
  }

  /** Every open connection, draining outlets included. */
  *connections(): Generator<{ outlet: AnyOutlet; connection: LiveConnection }> {
    for (const outlet of [...this.outlets, ...this.draining]) {
      for (const connection of outlet.connections) yield { outlet, connection };
    }
  }

  /** Drains a removed outlet for `grace` milliseconds; returns how many connections were aborted. */
  async drain(id: number, { grace }: { grace: number }): Promise<number> {
    return await this.#draining.get(id)?.stop({ grace }) ?? 0;
  }

  /** Drains every outlet for `grace` milliseconds; returns how many connections were aborted. */
  async stop({ grace }: { grace: number }): Promise<number> {
    // Whoever made that change is told if it failed.
    await Promise.allSettled([this.#committed]);
    for (const outlet of this.outlets) this.#drain(outlet, grace);
    this.#opened = new Map();
    const aborted = await Promise.all(
      [...this.#draining.values()].map((outlet) => outlet.stop({ grace })),
    );
    this.#limits[Symbol.dispose]();
    return aborted.reduce((sum, count) => sum + count, 0);
  }

  /** Accepts what is left in the accept queues, and closes all welcome sockets. Connections go on. */
  async stopListening(): Promise<void> {
    await Promise.all([...this.outlets, ...this.draining].map((outlet) => outlet.socketClosed()));
  }

  /**
   * Prepares a change: reads certificates. Nothing is bound, no event is published.
   *
   * @throws {Error} that says which certificate can't be used, and why
   */
  async prepare(
    next: DesiredState,
    { grace }: OutletChangeOptions,
  ): Promise<PreparedOutlets> {
    const acceptors = await this.#readCertificates(next);
    // Sockets that an earlier change closed may still accept the rest of their queue: wait, so
    // that their addresses can be bound again.
    await Promise.all([...this.#draining.values()].map((outlet) => outlet.socketClosed()));
    const undo = new AsyncDisposableStack();
    let sockets: ReadonlyMap<number, AnySocket> = new Map();
    return {
      bind: async ({ addresses = new Map(), alone = false, takesOver = false } = {}) => {
        sockets = await bindSockets(next, {
          opened: this.#opened,
          listen: this.#parts.listen ?? listen,
          shared: this.#parts.common !== undefined,
          addresses,
          alone,
          takesOver,
          undo,
        });
      },
      commit: () => this.#committed = this.#become(next, { acceptors, sockets, grace }),
      undo: () => undo.disposeAsync(),
      get addresses() {
        return new Map([...sockets].map(([id, { address }]) => [id, address]));
      },
    };
  }

  /** The TLS acceptors of new and changed outlets. */
  async #readCertificates(next: DesiredState): Promise<Acceptors> {
    const changed = next.outlets.filter(({ id, config }) =>
      config.outletOptions.tls && !isEqual(this.#opened.get(id)?.config, config)
    );
    return new Map(
      await mapInTurns(changed, TURN, async ({ id, config: { outletOptions } }) => [
        id,
        await tlsAcceptor(outletOptions, (reason) => this.#tellFault(id, reason)),
      ]),
    );
  }

  async #become(
    next: DesiredState,
    { acceptors, sockets, grace }: {
      acceptors: Acceptors;
      sockets: ReadonlyMap<number, AnySocket>;
      grace: number;
    },
  ): Promise<void> {
    const before = this.#opened;
    this.#first ??= new Set(next.outlets.map(({ id }) => id));
    this.#limits.change(configOf(next), this.#parts.descriptors);
    const opened = await mapInTurns(next.outlets, TURN, (desired) => {
      const { id, config } = desired;
      const there = before.get(id);
      if (there && isEqual(there.config, config)) return [id, there] as const;
      const outlet = there?.outlet ?? this.#created(desired, sockets.get(id)!);
      return [id, this.#open(outlet, { there, config, tls: acceptors.get(id) })] as const;
    });
    this.#opened = new Map(opened);
    await mapInTurns(next.outlets, TURN, (one) => this.#serve(one, before.get(one.id)));
    const removed = [...before].filter(([id]) => !this.#opened.has(id));
    await mapInTurns(removed, TURN, ([, { outlet }]) => this.#drain(outlet, grace));
  }

  #created({ id, name, config }: DesiredOutlet, socket: AnySocket): AnyOutlet {
    const { common, eventBus } = this.#parts;
    return createOutlet({
      id,
      name,
      socket,
      eventBus,
      number: common?.number,
      admission: this.#limits.admissionOf(config, common?.countersOf(id)),
    });
  }

  /** Opens an outlet's service, unless it is open with the same options. */
  #open(
    outlet: AnyOutlet,
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
    const { outlet, config } = opened;
    const isSame = before === opened;
    // How many sessions a UDP outlet may have depends on the others.
    if (!isSame || isUdp(config.listen)) outlet.admission.change(this.#limits.limitsOf(config));
    if (isSame) return;
    applySettings(opened, {
      outputs: this.#outputs,
      onServed: this.#first!.has(id) ? this.#parts.onServed : undefined,
      failed: (reason) => this.#tellFault(id, reason),
    });
    if (before && before.handler !== opened.handler) before.replaced.abort();
  }

  #drain(outlet: AnyOutlet, grace: number): void {
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
