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

/** The pause between connection attempts, in milliseconds; it doubles. */
const BACK_OFF = { shortest: 250, longest: 30_000 };

/** The timeouts of a connection attempt and of the last flush, in milliseconds. */
const TIMEOUT = { connect: 5_000, close: 1_000 };

/** The PING interval in milliseconds; two unanswered PINGs close the connection. */
const PING_INTERVAL = 3_000;

/** Unconfirmed bytes above which a PING is sent, and above which `publish` returns `false`. */
const WINDOW = { confirm: 64 * 1024, full: 1024 * 1024 };

/** A bus over NATS. It connects, and reconnects, in the background. */
export class NatsBus implements Bus {
  /** The name for users. */
  readonly name: string;
  /** Whether it is limited to this process. */
  readonly isLocal = false;
  readonly #options: ConnectionOptions;
  readonly #subscriptions = new NatsSubscriptions();
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  readonly #watchers = new Set<BusWatcher>();
  #state: BusState = { state: "down", reason: "connecting" };
  #connection: NatsConnection | undefined;
  #attempts = 0;
  /** The operations of which a denial was reported since the bus was connected. */
  readonly #denied = new Set<string>();
  #waiting = 0;
  #unconfirmed = 0;
  #confirming: Promise<void> = Promise.resolve();

  /** A bus at this URL. */
  constructor(address: NatsUrl, keys: NatsKeys = {}) {
    this.name = formatBus(address);
    this.#options = {
      servers: address.servers.map(formatAddress),
      name: "outlet",
      noEcho: true,
      timeout: TIMEOUT.connect,
      pingInterval: PING_INTERVAL,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectDelayHandler: () => backOff(this.#attempts),
      ...optionsOf(address, keys),
    };
    this.#done = this.#run();
    handledElsewhere(this.#done);
  }

  /** Bytes that are not confirmed. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The server's `max_payload`, in bytes. */
  get messageLimit(): number {
    return messageLimitOf(this.#connection);
  }

  /** Publishes a message. */
  publish(topic: Topic, message: Uint8Array): boolean {
    const isFull = this.#waiting > WINDOW.full;
    if (!this.#connection || this.#state.state === "down" || isFull) return false;
    if (!publishTo(this.#connection, { subject: subjectOf(topic), message })) return false;
    this.#waiting += message.length;
    this.#unconfirmed += message.length;
    if (this.#unconfirmed > WINDOW.confirm) this.#confirm(this.#connection);
    return true;
  }

  /** Subscribes to a topic, now or as soon as there is a connection. */
  subscribe(topic: Topic, onMessage: (message: Uint8Array) => void): Disposable {
    return this.#subscriptions.add(topic, onMessage);
  }

  /** Adds a watcher. */
  watch(watcher: BusWatcher): void {
    this.#watchers.add(watcher);
    if (this.#state.state === "up") watcher.changed(this.#state);
  }

  /** Resolves when the messages are confirmed or the connection is lost. */
  caughtUp(): Promise<void> {
    return this.#confirming;
  }

  /** Opens the archive in JetStream, if the server offers it. */
  async archive(): Promise<Archive | undefined> {
    if (!this.#connection?.info?.jetstream) return undefined;
    const { NatsArchive } = await import("./nats_archive.ts");
    return await NatsArchive.open(this.#connection);
  }

  /** Flushes for at most a second, and disconnects. */
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

  /** Follows the status of a connection, including reconnects, until it is closed. */
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
      if (status.type === "error") this.#reportDenied(status.error);
    }
  }

  /** Retries until it is connected; `undefined` if the bus is disposed. */
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
    this.#notify({ state: "up", at: connection.getServer() });
  }

  #down(reason: string): void {
    // Whether unconfirmed messages arrived is unknown; receivers request what they miss.
    this.#waiting = this.#unconfirmed = 0;
    this.#notify({ state: "down", reason });
  }

  /** Reports a permission violation, once for each operation. */
  #reportDenied(error: Error): void {
    if (!(error instanceof PermissionViolationError) || this.#denied.has(error.operation)) return;
    this.#denied.add(error.operation);
    const what = error.operation === "publish" ? "publish to" : "subscribe to";
    for (const watcher of this.#watchers) {
      watcher.denied?.(`no permission to ${what} ${error.subject}`);
    }
  }

  #notify(state: BusState): void {
    this.#state = state;
    for (const watcher of this.#watchers) watcher.changed(state);
  }

  /** Requests a confirmation of what was published so far, by PING and PONG. */
  #confirm(connection: NatsConnection): void {
    const bytes = this.#unconfirmed;
    this.#unconfirmed = 0;
    this.#confirming = connection.flush().then(() => {
      const wasFull = this.#waiting > WINDOW.full;
      this.#waiting = Math.max(0, this.#waiting - bytes);
      if (wasFull && this.#waiting <= WINDOW.full) this.#notify(this.#state);
    }, () => {
      // The connection is lost, which its status reports.
    });
  }
}

/**
 * Opens a bus with keys from these files.
 *
 * @throws {Error} with the file that cannot be used, and the reason
 */
export async function openNatsBus(address: NatsUrl, paths: NatsKeys): Promise<NatsBus> {
  return new NatsBus(address, await readNatsKeys(paths));
}

function backOff(attempts: number): number {
  return Math.min(BACK_OFF.longest, BACK_OFF.shortest * 2 ** attempts);
}
