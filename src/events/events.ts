/**
 * What happens in a room full of sockets, as facts in the past tense. Whoever acts publishes one;
 * log, metrics and console only listen.
 *
 * @module
 */
import type { Address } from "../endpoint/address.ts";

/** A fact about the server. Tell them apart by `event`. */
export type OutletEvent =
  | Listening
  | Opened
  | Refused
  | ServiceOutput
  | Closed
  | Failed
  | Recovered
  | Stopped
  | ServerEvent;

/** A fact about the server as a whole. */
export type ServerEvent =
  | Ready
  | Reloading
  | Reloaded
  | Rejected
  | Tracing
  | TraceUnavailable
  | BusConnected
  | BusDisconnected
  | BusPermissionDenied
  | Draining
  | WorkerRestarted
  | TaskFailed
  | UnexpectedError
  | LibraryOutput;

/** The welcome socket that a fact is about. */
export interface AboutOutlet {
  /** The outlet's number, which no other outlet of the server ever has: two may follow each other at one address. */
  readonly id: number;
  /** The outlet's name, such as `echo`. */
  readonly outlet: string;
  /** Where its welcome socket listens. */
  readonly address: Address;
}

/** The connection that a fact is about. */
export interface AboutConnection extends AboutOutlet {
  /** Its number: unique in the life of the process, counted from 1. */
  readonly connection: number;
  /** The client's end. */
  readonly peer: Address;
}

/** A welcome socket is open. */
export interface Listening extends AboutOutlet {
  /** Tells it from the other facts. */
  readonly event: "listening";
  /** The SHA-256 of its certificate in hex, where it speaks TLS: what clients pin. */
  readonly certificate?: string;
}

/** A client was given a connection socket of its own. */
export interface Opened extends AboutConnection {
  /** Tells it from the other facts. */
  readonly event: "opened";
  /** What is known of it already, such as the subject of its certificate. */
  readonly notes?: Notes;
  /** Our end. */
  readonly local: Address;
}

/** A client was turned away at the door. */
export interface Refused extends AboutOutlet {
  /** Tells it from the other facts. */
  readonly event: "refused";
  /** The client's end. */
  readonly peer: Address;
  /** Why, in words: `denied by a rule`, `full`, `over the rate`. */
  readonly reason: string;
}

/** What serves a client had something to say about it: a line on a program's stderr, say. */
export interface ServiceOutput extends AboutConnection {
  /** Tells it from the other facts. */
  readonly event: "service-output";
  /** One line. */
  readonly text: string;
}

/** What services note of a connection, by kebab-case names of their own: `exit`, `upstream`, `file`. */
export type Notes = Readonly<Record<string, string | number>>;

/** A connection has ended. */
export interface Closed extends AboutConnection {
  /** Tells it from the other facts. */
  readonly event: "closed";
  /** Bytes that came from the client. */
  readonly bytesIn: number;
  /** Bytes that went to the client. */
  readonly bytesOut: number;
  /** Milliseconds from `opened`. */
  readonly duration: number;
  /** Who or what ended it, in one of the words of `connection/end_reason.ts`: `peer closed`, `peer reset`, `idle`. */
  readonly reason: string;
  /** What its service noted of it; absent where it noted nothing. */
  readonly notes?: Notes;
}

/** Something went wrong that no connection can tell: `accept` found no free descriptor, say. */
export interface Failed extends AboutOutlet {
  /** Tells it from the other facts. */
  readonly event: "failed";
  /** The system's name for what went wrong, where it has one: `EMFILE`. */
  readonly code?: string;
  /** What was tried and what went wrong, in words. */
  readonly reason: string;
}

/** What went wrong is over: an upstream that was down is up again, say. */
export interface Recovered extends AboutOutlet {
  /** Tells it from the other facts. */
  readonly event: "recovered";
  /** What is well again, in words. */
  readonly text: string;
}

/** A welcome socket and all its connections are gone. */
export interface Stopped extends AboutOutlet {
  /** Tells it from the other facts. */
  readonly event: "stopped";
  /** Connections that did not end by themselves while the outlet drained. */
  readonly cut: number;
}

/** Every outlet is open. */
export interface Ready {
  /** Tells it from the other facts. */
  readonly event: "ready";
  /** How many outlets there are. */
  readonly outlets: number;
  /** How many connections the server takes at the same time. */
  readonly maxConnections: number;
  /** File descriptors that the process may have; `undefined` where the system does not tell. */
  readonly descriptors: number | undefined;
}

/** A changed config is being read. */
export interface Reloading {
  /** Tells it from the other facts. */
  readonly event: "reloading";
}

/** A changed config holds. */
export interface Reloaded {
  /** Tells it from the other facts. */
  readonly event: "reloaded";
  /** Outlets that are new. */
  readonly opened: number;
  /** Outlets that are not wanted any more, and drain. */
  readonly closed: number;
  /** Outlets whose next clients are served under other terms. */
  readonly changed: number;
}

/** A changed config cannot be had: all stays as it was. */
export interface Rejected {
  /** Tells it from the other facts. */
  readonly event: "rejected";
  /** What is wrong with it, in words. */
  readonly reason: string;
}

/** Handshakes are captured from now on. */
export interface Tracing {
  /** Tells it from the other facts. */
  readonly event: "tracing";
  /** How many ports the capture is about. */
  readonly ports: number;
}

/** Handshakes cannot be captured, or not any more: they are inferred. */
export interface TraceUnavailable {
  /** Tells it from the other facts. */
  readonly event: "trace-unavailable";
  /** Why, in words. */
  readonly reason: string;
}

/** The bus that carries rooms from server to server is there. */
export interface BusConnected {
  /** Tells it from the other facts. */
  readonly event: "bus-connected";
  /** The bus, as it was named, without passwords. */
  readonly bus: string;
  /** Which of its servers is spoken to. */
  readonly server: string;
}

/** The bus that carries rooms from server to server is not there: they stay on this server, and it is tried again. */
export interface BusDisconnected {
  /** Tells it from the other facts. */
  readonly event: "bus-disconnected";
  /** The bus, as it was named, without passwords. */
  readonly bus: string;
  /** Why, in words. */
  readonly reason: string;
}

/** The bus that carries rooms does not let this server do what rooms need. */
export interface BusPermissionDenied {
  /** Tells it from the other facts. */
  readonly event: "bus-permission-denied";
  /** The bus, as it was named, without passwords. */
  readonly bus: string;
  /** What it does not allow, in words. */
  readonly reason: string;
}

/** The server stops: nobody is welcomed any more. */
export interface Draining {
  /** Tells it from the other facts. */
  readonly event: "draining";
  /** Connections that are still open. */
  readonly live: number;
  /** Milliseconds that they have to end by themselves. */
  readonly grace: number;
}

/** A worker died, with its connections; another takes its place. */
export interface WorkerRestarted {
  /** Tells it from the other facts. */
  readonly event: "worker-restarted";
  /** Its number, from 0. */
  readonly worker: number;
  /** What it died of, in words. */
  readonly reason: string;
}

/** Something that runs beside the rest has failed; the rest goes on. */
export interface TaskFailed {
  /** Tells it from the other facts. */
  readonly event: "task-failed";
  /** What was being done: `watching the config`. */
  readonly task: string;
  /** What went wrong, in words. */
  readonly reason: string;
  /** What goes on without it. */
  readonly consequence: string;
}

/** An error that nobody caught: a bug. The server goes on. */
export interface UnexpectedError {
  /** Tells it from the other facts. */
  readonly event: "unexpected-error";
  /** What it says, and where it came from: a line each. */
  readonly stack: readonly string[];
}

/** A library had something to print. */
export interface LibraryOutput {
  /** Tells it from the other facts. */
  readonly event: "library-output";
  /** One line. */
  readonly text: string;
  /** How many were not told before it, for they came too fast. */
  readonly untold: number;
}
