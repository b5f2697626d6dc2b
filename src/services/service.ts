/**
 * The interface of a service. A new one is a file in this directory and a line in `registry.ts`; its options then are
 * flags, SPEC query keys and config keys, and in help.
 *
 * @module
 */
import type { OptionTable, OptionValues } from "../options/option.ts";
import type { Remote } from "../endpoint/remote.ts";
import type { Rooms } from "../chat/rooms.ts";
import type { SharedHealth } from "./shared_health.ts";
import type { Handler } from "../connection/connection.ts";
import type { Conversation } from "../connection/conversation.ts";
import type { DatagramHandler } from "../connection/session.ts";

/** What a service can use of its outlet and server. */
export interface ServiceContext {
  /** The address of the outlet as text: `127.0.0.1:7000`. */
  readonly address: string;
  /** The chat rooms of the server. */
  readonly rooms: Rooms;
  /** The standard streams of the process. */
  readonly standard: StandardStreams;
  /** Aborted when the outlet stops or reopens the service, to end work outside of connections. */
  readonly signal: AbortSignal;
  /** Publishes a failure that is not a connection's, such as an upstream that is down. */
  failed(reason: string): void;
  /** The health of what the outlet depends on, shared by all threads of the server. */
  readonly health: SharedHealth;
  /**
   * Runs a task of the whole server in one of its threads, such as health checks. All threads call this; one of them
   * runs the task, and another takes over when that one ends.
   */
  oncePerServer(run: (signal: AbortSignal) => void): void;
  /** Publishes a line of output about a connection, such as a line of a program's stderr. */
  output(connection: Conversation, text: string): void;
}

/** The standard streams of the process. */
export interface StandardStreams {
  /** Standard input; each chunk is valid until the next is requested. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Writes a line over the one before; absent without a terminal. */
  readonly status?: ((line: string) => void) | undefined;
  /** Writes all bytes to standard output. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the process; `isOk` is whether its client was served without a failure. */
  end(isOk: boolean): void;
}

/** Something that a service needs is missing. */
export interface PreflightFault {
  /** The option that needs it. */
  readonly option: string;
  /** What is missing. */
  readonly message: string;
}

/** What a service must not be for everybody. */
export interface Openness {
  /** The first option that would restrict it. */
  readonly option: string;
  /** What it would be: `an open proxy for everybody`. */
  readonly what: string;
  /** The service's own options that would restrict it. */
  readonly remedy: string;
}

/** How a service serves clients that send datagrams. */
export interface DatagramHalf<T extends OptionTable = OptionTable> {
  /**
   * How its answers compare to what came. `more` is refused beyond loopback without `amplify`,
   * because the sender's address may be forged; `relayed` answers are those of somebody else.
   */
  readonly answers: "none" | "no more than came" | "more" | "relayed";
  /** Options that have no effect on datagrams, and why. */
  readonly unused?: Readonly<Partial<Record<keyof T, string>>>;
  /**
   * Checks options that depend on each other.
   *
   * @throws {UsageError} which says what is missing or cannot be combined
   */
  check?(options: OptionValues<T>): void;
  /** Opens the service of one outlet, as {@linkcode Service.open} does. */
  open(options: OptionValues<T>, context: ServiceContext): DatagramHandler;
}

/** Why a service has no datagram half. */
export interface NoDatagrams {
  /** The reason, in words that go on from `SERVICE over UDP: `. */
  readonly refused: string;
}

/** A service: its name, its options, and how it serves a client. */
export interface Service<T extends OptionTable = OptionTable> {
  /** The scheme of its SPECs, before `://`. */
  readonly name: string;
  /** One line for help. */
  readonly summary: string;
  /** Its options. */
  readonly options: T;
  /** File descriptors per connection beside its socket, such as an upstream's; 0 by default. */
  readonly descriptors?: number;
  /** The option that gets the arguments after `--`, where the service runs a program. */
  readonly command?: string;
  /**
   * Checks options that depend on each other.
   *
   * @throws {UsageError} which says what is missing or cannot be combined
   */
  check?(options: OptionValues<T>): void;
  /**
   * Why a given option has no effect beside the others, where its table cannot say it. The text follows the option's
   * name: `needs several upstreams`.
   */
  whyIgnored?(name: string, options: OptionValues<T>): string | undefined;
  /**
   * What it would be if everybody could reach it, where its options do not restrict it. It is then
   * refused, unless only this machine can reach it, or rules or certificates restrict its clients.
   */
  openness?(options: OptionValues<T>): Openness | undefined;
  /** Where it forwards clients to. */
  upstreams?(options: OptionValues<T>): readonly Remote[];
  /** The file of a key that may have a passphrase, which is then asked for at the start. */
  keyFile?(options: OptionValues<T>): string | undefined;
  /**
   * Checks what it needs of this machine, such as a program, without changing anything. Whether files and directories that
   * options name are there is checked separately.
   */
  preflight?(
    options: OptionValues<T>,
  ): PreflightFault | undefined | Promise<PreflightFault | undefined>;
  /** How it serves datagrams, or why it does not. */
  readonly datagram: DatagramHalf<T> | NoDatagrams;
  /** Opens the service of one outlet. All state is in the returned closure; there are no globals. */
  open(options: OptionValues<T>, context: ServiceContext): Handler;
}

/** Infers the types of a service's options from its table. */
export function service<const T extends OptionTable>(definition: Service<T>): Service<T> {
  return definition;
}
