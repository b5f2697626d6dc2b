/**
 * The events of the server as a whole.
 *
 * @module
 */

import type { InternetAddress } from "../endpoint/address.ts";

/** An event of the server as a whole; a union discriminated by `event`. */
export type ServerEvent =
  | MetricsListening
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

/** Metrics can be requested. */
export interface MetricsListening {
  /** The discriminant. */
  readonly event: "metrics-listening";
  /** The bound address. */
  readonly address: InternetAddress;
}

/** The bound addresses of what else the server serves. */
export interface HttpAddresses {
  /** The address of the metrics. */
  readonly metrics?: InternetAddress | undefined;
  /** The address of the console. */
  readonly console?: InternetAddress | undefined;
}

/** All outlets listen. */
export interface Ready extends HttpAddresses {
  /** The discriminant. */
  readonly event: "ready";
  /** The number of outlets. */
  readonly outlets: number;
  /** The most concurrent connections. */
  readonly maxConnections: number;
  /** The process's limit of file descriptors; `undefined` if unknown. */
  readonly descriptors: number | undefined;
}

/** A reload has started. */
export interface Reloading {
  /** The discriminant. */
  readonly event: "reloading";
}

/** A reload has succeeded. */
export interface Reloaded {
  /** The discriminant. */
  readonly event: "reloaded";
  /** Outlets that were added. */
  readonly opened: number;
  /** Outlets that were removed, and drain. */
  readonly closed: number;
  /** Outlets whose settings changed, for new connections. */
  readonly changed: number;
}

/** A reload has failed; the server continues unchanged. */
export interface Rejected {
  /** The discriminant. */
  readonly event: "rejected";
  /** Why. */
  readonly reason: string;
}

/** The capture of handshakes has started. */
export interface Tracing {
  /** The discriminant. */
  readonly event: "tracing";
  /** How many ports are captured. */
  readonly ports: number;
}

/** Handshakes cannot be captured, or no longer; they are inferred instead. */
export interface TraceUnavailable {
  /** The discriminant. */
  readonly event: "trace-unavailable";
  /** Why. */
  readonly reason: string;
}

/** Connected to the bus, which shares chat rooms between servers. */
export interface BusConnected {
  /** The discriminant. */
  readonly event: "bus-connected";
  /** The URL of the bus, without credentials. */
  readonly bus: string;
  /** The NATS server that the connection is to. */
  readonly server: string;
}

/** Disconnected from the bus: rooms are limited to this server until a retry succeeds. */
export interface BusDisconnected {
  /** The discriminant. */
  readonly event: "bus-disconnected";
  /** The URL of the bus, without credentials. */
  readonly bus: string;
  /** Why. */
  readonly reason: string;
}

/** The bus does not permit what rooms need. */
export interface BusPermissionDenied {
  /** The discriminant. */
  readonly event: "bus-permission-denied";
  /** The URL of the bus, without credentials. */
  readonly bus: string;
  /** What is not permitted. */
  readonly reason: string;
}

/** The server stops, and accepts no more connections. */
export interface Draining {
  /** The discriminant. */
  readonly event: "draining";
  /** Open connections. */
  readonly connections: number;
  /** The drain timeout, in milliseconds. */
  readonly timeout: number;
}

/** A worker failed, and its connections with it, or all are being restarted; another replaces it. */
export interface WorkerRestarted {
  /** The discriminant. */
  readonly event: "worker-restarted";
  /** Its number, from 0. */
  readonly worker: number;
  /** Why it failed. */
  readonly reason: string;
}

/** A background task has failed; see `scheduling/task_scope.ts`. */
export interface TaskFailed {
  /** The discriminant. */
  readonly event: "task-failed";
  /** What was being done: `watching the config`. */
  readonly task: string;
  /** What failed. */
  readonly reason: string;
  /** What still works. */
  readonly consequence: string;
}

/** An uncaught error, which is a bug. The server continues. */
export interface UnexpectedError {
  /** The discriminant. */
  readonly event: "unexpected-error";
  /** The lines of its message and stack. */
  readonly stack: readonly string[];
}

/** A library tried to print a line. */
export interface LibraryOutput {
  /** The discriminant. */
  readonly event: "library-output";
  /** One line. */
  readonly text: string;
  /** How many lines before it were dropped by a rate limit. */
  readonly suppressed: number;
}
