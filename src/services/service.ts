/**
 * What an outlet offers. A service is one file in this folder and one line in `registry.ts`; its options
 * appear by themselves as flags, SPEC query keys, config keys and in help.
 *
 * @module
 */
import type { OptionTable, OptionValues } from "../options/option.ts";
import type { Address } from "../endpoint/address.ts";
import type { Rooms } from "../chat/rooms.ts";
import type { SharedHealth } from "./shared_health.ts";
import type { Connection, Handler } from "../connection/connection.ts";

/** What a service may know of the house that it is opened in. */
export interface ServiceContext {
  /** The address of its outlet, as people write it: `127.0.0.1:7000`. */
  readonly address: string;
  /** The chat rooms of this server. */
  readonly rooms: Rooms;
  /** The standard streams of the process. */
  readonly standard: Standard;
  /** Aborted when the outlet stops, or opens the service anew: for work that belongs to no connection. */
  readonly signal: AbortSignal;
  /** Tells that something went wrong which is no connection's fault, such as an upstream that is down. */
  failed(reason: string): void;
  /** The health of what the outlet depends on, as all threads of the server know it. */
  readonly health: SharedHealth;
  /**
   * Runs work that belongs to the whole server in one of its threads, such as health checks. Every thread registers it;
   * one runs it, and another if that one ends.
   */
  oncePerServer(run: (signal: AbortSignal) => void): void;
  /** Tells one line about a connection, such as what its program complained of. */
  said(connection: Connection, text: string): void;
}

/** The standard streams of the process, for a service that joins clients to them. */
export interface Standard {
  /** All that comes on standard input; each chunk is valid until the next is asked for. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Takes a line that is written over the one before; absent where nobody looks. */
  readonly status?: ((line: string) => void) | undefined;
  /** Writes all of the bytes to standard output. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the process, as there is nothing more to do; `well` is whether all went well. */
  end(well: boolean): void;
}

/** Something that a service needs is not there. */
export interface PreflightFault {
  /** The option that asks for it. */
  readonly option: string;
  /** What is missing, in words. */
  readonly message: string;
}

/** A service: what it is called, what can be asked of it, and how it serves a client. */
export interface Service<T extends OptionTable = OptionTable> {
  /** The word in front of `://`. */
  readonly name: string;
  /** One line for help. */
  readonly summary: string;
  /** What can be asked of it. */
  readonly options: T;
  /** File descriptors that a connection takes besides its own socket, such as an upstream's; none, unless said. */
  readonly descriptors?: number;
  /** Which option the words behind `--` are for, where the service runs a program. */
  readonly command?: string;
  /**
   * Looks at the options together, before anything is opened.
   *
   * @throws {UsageError} which says what is missing or what excludes what
   */
  check?(options: OptionValues<T>): void;
  /** Where its clients are passed on to. */
  upstreams?(options: OptionValues<T>): readonly Address[];
  /**
   * Looks at what only the machine can tell, such as whether a program is there, leaves nothing behind, and returns what
   * is wrong. Files and folders that options name are looked at without it.
   */
  preflight?(options: OptionValues<T>): PreflightFault | undefined;
  /** Opens the service behind one outlet. Its state lives in the closure: there are no globals. */
  open(options: OptionValues<T>, context: ServiceContext): Handler;
}

/** Lets TypeScript read the types of a service's options off its table. */
export function service<const T extends OptionTable>(definition: Service<T>): Service<T> {
  return definition;
}
