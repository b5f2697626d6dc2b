/**
 * The events of outlets and connections, published on the event bus for the log, metrics and the console.
 *
 * @module
 */
import type { Address } from "../endpoint/address.ts";
import type { ServerEvent } from "./server_events.ts";

/** Any event; a union discriminated by `event`. */
export type OutletEvent =
  | Listening
  | Opened
  | Refused
  | Dropped
  | ServiceOutput
  | Closed
  | Failed
  | Recovered
  | Stopped
  | ServerEvent;

/** The outlet of an event. */
export interface AboutOutlet {
  /** The outlet's number; unlike its name and address, never used again by another outlet. */
  readonly id: number;
  /** The outlet's name, such as `echo`. */
  readonly outlet: string;
  /** The address it listens at. */
  readonly address: Address;
}

/** The connection of an event. */
export interface AboutConnection extends AboutOutlet {
  /** Its number, from 1; unique within the process. */
  readonly connection: number;
  /** The client's address. */
  readonly peer: Address;
}

/** An outlet listens. */
export interface Listening extends AboutOutlet {
  /** The discriminant. */
  readonly event: "listening";
  /** With TLS, the SHA-256 of its certificate in hex, for clients to pin. */
  readonly certificate?: string;
}

/** A connection was accepted and admitted; over UDP, a client's first datagram has opened a session. */
export interface Opened extends AboutConnection {
  /** The discriminant. */
  readonly event: "opened";
  /** What is known so far, such as the subject of the client's certificate. */
  readonly notes?: Notes;
  /** The server's address. */
  readonly local: Address;
}

/** A connection was refused admission. */
export interface Refused extends AboutOutlet {
  /** The discriminant. */
  readonly event: "refused";
  /** The client's address. */
  readonly peer: Address;
  /** The reason: `denied by rule`, `connection limit reached`, `rate limit exceeded`. */
  readonly reason: string;
  /** Over UDP, the number of refused datagrams since the last such event; the peer sent the last. */
  readonly datagrams?: number;
}

/** Datagrams were dropped. Published at most once a second for each reason. */
export interface Dropped extends AboutOutlet {
  /** The discriminant. */
  readonly event: "dropped";
  /** How many since the last such event. */
  readonly datagrams: number;
  /** The sender of the last one, where known. */
  readonly peer?: Address | undefined;
  /** The reason: `rate limit exceeded`, `longer than max-datagram`, `receive buffer full`. */
  readonly reason: string;
}

/** A service has output about a connection, such as a line on a program's stderr. */
export interface ServiceOutput extends AboutConnection {
  /** The discriminant. */
  readonly event: "service-output";
  /** One line. */
  readonly text: string;
}

/** Facts that services add to a connection, by name in kebab-case: `exit`, `upstream`, `file`. */
export type Notes = Readonly<Record<string, string | number>>;

/** A connection was closed. */
export interface Closed extends AboutConnection {
  /** The discriminant. */
  readonly event: "closed";
  /** Bytes received from the client. */
  readonly bytesIn: number;
  /** Bytes sent to the client. */
  readonly bytesOut: number;
  /** Over UDP, the number of datagrams received from the client. */
  readonly datagramsIn?: number | undefined;
  /** Over UDP, the number of datagrams sent to the client. */
  readonly datagramsOut?: number | undefined;
  /** Milliseconds since `opened`. */
  readonly duration: number;
  /** Why it was closed: one of the reasons in `connection/end_reason.ts`, such as `peer reset` or `idle`. */
  readonly reason: string;
  /** Facts that its service added, if any. */
  readonly notes?: Notes;
}

/** An operation of an outlet failed, outside of a connection: for example accept(2) with EMFILE. */
export interface Failed extends AboutOutlet {
  /** The discriminant. */
  readonly event: "failed";
  /** The system's error code, if any: `EMFILE`. */
  readonly code?: string;
  /** What was tried, and what failed. */
  readonly reason: string;
}

/** A failure is over: for example, an upstream that was down is up again. */
export interface Recovered extends AboutOutlet {
  /** The discriminant. */
  readonly event: "recovered";
  /** What works again. */
  readonly text: string;
}

/** An outlet and all its connections are closed. */
export interface Stopped extends AboutOutlet {
  /** The discriminant. */
  readonly event: "stopped";
  /** Connections that were aborted at the end of the drain timeout. */
  readonly aborted: number;
}
