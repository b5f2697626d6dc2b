/**
 * A bus between machines: NATS.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import {
  type ConnectionOptions,
  type NatsConnection,
  PermissionViolationError,
} from "@nats-io/transport-node";
import { handledElsewhere } from "../../scheduling/task_scope.ts";
import { explain } from "../../transport/errors.ts";
import { formatAddress } from "../../endpoint/address.ts";
import type { Archive, Bus, BusState, BusWatcher, Topic } from "./bus.ts";
import { formatBus, type NatsUrl } from "../../endpoint/nats_url.ts";
import { confirmHandshake, connect } from "./nats_transport.ts";
import { type NatsKeys, optionsOf, readNatsKeys } from "./nats_keys.ts";
import { messageLimitOf, publishTo } from "./nats_publish.ts";
import { subjectOf } from "./nats_subject.ts";
import { NatsSubscriptions } from "./nats_subscriptions.ts";

/** Pauses between attempts to connect, in milliseconds: they double. */
const BACK_OFF = { shortest: 250, longest: 30_000 };

/** How long an attempt may take, and how long goodbye, in milliseconds. */
const TIMEOUT = { connect: 5_000, close: 1_000 };

/** How often a silent server is asked whether it is there; when two of these are open, it is not. In milliseconds. */
const PING = 3_000;

/** Bytes that may be on their way before the server has to say that it has them, and before no more are taken. */
const WINDOW = { confirm: 64 * 1024, full: 1024 * 1024 };

/** Publishes and subscribes at NATS servers. It is there at once, and connects as soon as it can. */
export class NatsBus implements Bus {
  /** What people call it. */
  readonly name: string;
  /** It reaches other servers. */
  readonly isLocal = false;
  readonly #options: ConnectionOptions;
  readonly #subscriptions = new NatsSubscriptions();
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  readonly #watchers = new Set<BusWatcher>();
  #state: BusState = { state: "down", reason: "connecting" };
  #connection: NatsConnection | undefined;
  #attempts = 0;
  /** What this connection has been denied, and what was told of that. */
  readonly #denied = new Set<string>();
  #waiting = 0;
  #unconfirmed = 0;
  #confirming: Promise<void> = Promise.resolve();

  /** A bus at this address. */
  constructor(address: NatsUrl, keys: NatsKeys = {}) {
    this.name = formatBus(address);
    this.#options = {
      servers: address.servers.map(formatAddress),
      name: "outlet",
      noEcho: true,
      timeout: TIMEOUT.connect,
      pingInterval: PING,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () => backOff(this.#attempts),
      ...optionsOf(address, keys),
    };
    this.#done = this.#run();
    handledElsewhere(this.#done);
  }

  /** Bytes that the server has not confirmed. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The most bytes that the server takes in a message. */
  get messageLimit(): number {
    return messageLimitOf(this.#connection);
  }

  /** Hands a message to the server. */
  publish(topic: Topic, message: Uint8Array): boolean {
    const isFull = this.#waiting > WINDOW.full;
    if (!this.#connection || this.#state.state === "down" || isFull) return false;
    if (!publishTo(this.#connection, { subject: subjectOf(topic), message })) return false;
    this.#waiting += message.length;
    this.#unconfirmed += message.length;
    if (this.#unconfirmed > WINDOW.confirm) this.#confirm(this.#connection);
    return true;
  }

  /** Listens to a topic, now or as soon as there is a connection. */
  subscribe(topic: Topic, onMessage: (message: Uint8Array) => void): Disposable {
    return this.#subscriptions.add(topic, onMessage);
  }

  /** Lets somebody know whenever the connection comes or goes. */
  watch(watcher: BusWatcher): void {
    this.#watchers.add(watcher);
    if (this.#state.state === "up") watcher.changed(this.#state);
  }

  /** Resolves when the server has received what was sent, or the connection is lost. */
  caughtUp(): Promise<void> {
    return this.#confirming;
  }

  /** What JetStream remembers, where the server offers it. */
  async archive(): Promise<Archive | undefined> {
    if (!this.#connection?.info?.jetstream) return undefined;
    const { NatsArchive } = await import("./nats_archive.ts");
    return await NatsArchive.open(this.#connection);
  }

  /** Sends what waits, if that takes no time, and disconnects. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#watchers.clear();
    this.#closing.abort();
    const connection = this.#connection;
    if (connection && this.#state.state === "up") {
      await deadline(connection.flush(), TIMEOUT.close).catch(() => {});
    }
    await connection?.close().catch(() => {});
    await this.#done.catch(() => {});
  }

  async #run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const connection = await this.#connect();
      if (!connection) return;
      await this.#follow(connection).catch((error) => this.#down(explain(error)));
      this.#connection = undefined;
      this.#subscriptions.moveTo(undefined);
      await connection.close().catch(() => {});
      this.#down("connection closed");
    }
  }

  /** Follows a connection, through all that it is lost and comes back, until it is closed. */
  async #follow(connection: NatsConnection): Promise<void> {
    const statuses = connection.status();
    this.#connection = connection;
    this.#subscriptions.moveTo(connection);
    this.#up(connection);
    for await (const status of statuses) {
      if (status.type === "reconnecting") this.#attempts++;
      if (status.type === "disconnect") this.#down("connection lost");
      if (status.type === "reconnect") {
        this.#subscriptions.renew();
        this.#up(connection);
      }
      if (status.type === "error") this.#fail(status.error);
    }
  }

  /** Tries until it is connected; `undefined` when it is to be closed. */
  async #connect(): Promise<NatsConnection | undefined> {
    const { signal } = this.#closing;
    for (;;) {
      try {
        const connection = await connect(this.#options);
        if (!signal.aborted) return connection;
        await connection.close();
        return undefined;
      } catch (error) {
        this.#down(explain(error));
      }
      await delay(backOff(this.#attempts++), { signal }).catch(() => {});
      if (signal.aborted) return undefined;
    }
  }

  #up(connection: NatsConnection): void {
    confirmHandshake(connection);
    this.#attempts = 0;
    this.#denied.clear();
    this.#tell({ state: "up", at: connection.getServer() });
  }

  #down(reason: string): void {
    // Whether that has arrived nobody knows; who misses it will ask for it.
    this.#waiting = this.#unconfirmed = 0;
    this.#tell({ state: "down", reason });
  }

  /** Reports missing permissions, once for subscribing and once for publishing. */
  #fail(error: Error): void {
    if (!(error instanceof PermissionViolationError) || this.#denied.has(error.operation)) return;
    this.#denied.add(error.operation);
    const what = error.operation === "publish" ? "publish to" : "subscribe to";
    for (const watcher of this.#watchers) {
      watcher.denied?.(`no permission to ${what} ${error.subject}`);
    }
  }

  #tell(state: BusState): void {
    this.#state = state;
    for (const watcher of this.#watchers) watcher.changed(state);
  }

  /** Asks the server to say that it has what it was handed so far. */
  #confirm(connection: NatsConnection): void {
    const bytes = this.#unconfirmed;
    this.#unconfirmed = 0;
    this.#confirming = connection.flush().then(() => {
      const wasFull = this.#waiting > WINDOW.full;
      this.#waiting = Math.max(0, this.#waiting - bytes);
      if (wasFull && this.#waiting <= WINDOW.full) this.#tell(this.#state);
    }, () => {
      // The connection is lost, which is told elsewhere; what was on its way is asked for again by those who miss it.
    });
  }
}

/**
 * A bus at this address; the keys are paths here.
 *
 * @throws {Error} which names the file that can't be used, and the reason
 */
export async function openNatsBus(address: NatsUrl, paths: NatsKeys): Promise<NatsBus> {
  return new NatsBus(address, await readNatsKeys(paths));
}

function backOff(attempts: number): number {
  return Math.min(BACK_OFF.longest, BACK_OFF.shortest * 2 ** attempts);
}
