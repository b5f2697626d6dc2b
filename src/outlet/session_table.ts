/**
 * The sessions of a datagram outlet by client address.
 *
 * @module
 */
import type { Admission, Permit } from "../admission/admission.ts";
import { closeAll } from "../connection/close_all.ts";
import { Sweeper } from "../connection/deadlines.ts";
import type { EndReason } from "../connection/end_reason.ts";
import { Session, type SessionCarrier } from "../connection/session.ts";
import { canonicalHost, isLoopback } from "../endpoint/address.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import type { DatagramSocket } from "../transport/datagrams.ts";
import { faultOf } from "../transport/errors.ts";
import type { DatagramDrops } from "./datagram_drops.ts";
import type { DatagramSettings } from "./datagram_settings.ts";
import type { OutletEvents } from "./outlet_events.ts";
import { type ClientKey, SessionIndex } from "./session_index.ts";
import { type Source, SourceRates } from "./source_rates.ts";

/** Datagrams a second from one address beyond loopback, unless `datagram-rate` says otherwise. */
export const DEFAULT_RATE = 1_000;

/**
 * The ports of echo, daytime, qotd, chargen and time. Two such services that answer each other
 * never stop (CERT CA-1996-01).
 */
const SMALL_SERVICES: ReadonlySet<number> = new Set([7, 13, 17, 19, 37]);

const tasks = new TaskScope("ending a session", { consequence: "the other sessions go on" });

/** Options of {@linkcode SessionTable}. */
export interface SessionTableOptions {
  /** The limits and access rules. */
  readonly admission: Admission;
  /** Returns the next session id. */
  number(): number;
  /** Publishes the events of sessions. */
  readonly events: OutletEvents;
  /** Counts what is not served. */
  readonly drops: DatagramDrops;
  /** Aborted when the outlet stops. */
  readonly stopping: AbortSignal;
}

/** A session, and what it is counted by. */
interface Entry {
  readonly session: Session;
  readonly source: Source;
  /** Datagrams a second from its source. */
  readonly rate: number;
}

/** Opens sessions, finds them, and closes them. */
export class SessionTable {
  readonly #options: SessionTableOptions;
  readonly #entries = new SessionIndex<Entry>();
  /** What handlers of closed sessions still do. */
  readonly #ending = new Set<Promise<void>>();
  readonly #rates = new SourceRates();
  #settings!: DatagramSettings;
  #sweeper = new Sweeper({});

  /** An empty table. */
  constructor(options: SessionTableOptions) {
    this.#options = options;
  }

  /** The open sessions. */
  get sessions(): Iterable<Session> {
    return [...this.#entries.values()].map(({ session }) => session);
  }

  /** The settings of new sessions. */
  set settings(settings: DatagramSettings) {
    this.#settings = settings;
    this.#sweeper = new Sweeper(settings.deadlines);
  }

  /** The session of a sender, opened if there is none; `undefined` if its datagram is dropped. */
  of(sender: Deno.Addr, socket: DatagramSocket): Session | undefined {
    const from = sender as Deno.NetAddr;
    const entry = this.#entries.find(socket, from) ?? this.#open({ from, socket });
    if (!entry) return undefined;
    if (++entry.source.datagrams <= entry.rate) return entry.session;
    this.#options.drops.dropped("rate limit exceeded", { from });
  }

  /** Starts a window of the rate limit. */
  startWindow(): void {
    this.#rates.startWindow();
  }

  /** Closes all sessions, in turns of the event loop, and waits for what their handlers still do. */
  async close(reason: EndReason): Promise<void> {
    await closeAll(this.sessions, reason);
    await Promise.allSettled(this.#ending);
  }

  #await(ending: Promise<void>): void {
    this.#ending.add(ending);
    tasks.run(ending.finally(() => this.#ending.delete(ending)));
  }

  #open(client: ClientKey): Entry | undefined {
    const { from } = client;
    const { admission, drops, stopping } = this.#options;
    const { answers, rate } = this.#settings;
    if (stopping.aborted) return void drops.dropped("the outlet stops", { from });
    if (answers && SMALL_SERVICES.has(from.port)) {
      return void drops.dropped("from the port of another small service", { from });
    }
    const hostname = canonicalHost(from.hostname);
    const permit = admission.admit(hostname);
    if (permit.refusal !== undefined) return void drops.refused(permit.refusal, from);
    const isLocal = isLoopback(hostname);
    const source = this.#rates.enter(hostname);
    const session = this.#sessionWith(
      { permit, source, limitsAnswers: this.#settings.limitsAnswers && !isLocal },
      client,
    );
    const entry = { session, source, rate: (rate ?? (isLocal ? 0 : DEFAULT_RATE)) || Infinity };
    this.#entries.add(client, entry);
    this.#begin(session);
    return entry;
  }

  #sessionWith(
    { permit, source, limitsAnswers }: {
      permit: Permit;
      source: Source;
      limitsAnswers: boolean;
    },
    client: ClientKey,
  ): Session {
    const { from, socket } = client;
    const { number, drops, events } = this.#options;
    const id = number();
    const capture = this.#settings.capture?.(id);
    const closed = (ending: void | Promise<void>) => {
      if (ending) this.#await(ending);
      this.#entries.delete(client);
      this.#rates.leave(source);
      permit[Symbol.dispose]();
      watch[Symbol.dispose]();
      if (capture) this.#await(capture.then((capturing) => capturing?.[Symbol.dispose]()));
      events.closed(session);
    };
    const carrier: SessionCarrier = {
      send: (datagram) => socket.send(datagram, from),
      closed,
      dropped: (reason) => drops.dropped(reason, { from }),
      maxDatagram: this.#settings.maxDatagram,
      limitsAnswers,
      record: capture &&
        (async (direction, datagram) => await (await capture)?.record(direction, datagram)),
    };
    const peer = { hostname: canonicalHost(from.hostname), port: from.port };
    const session = new Session(carrier, { id, peer, local: socket.address });
    const watch = this.#sweeper.watch(session);
    return session;
  }

  /** Publishes the session and opens its handler. */
  #begin(session: Session): void {
    this.#options.events.opened(session);
    try {
      session.serve(this.#settings.handler(session, this.#options.stopping));
    } catch (error) {
      session.close(faultOf(error));
    }
  }
}
