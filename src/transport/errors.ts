/**
 * System errors of sockets as text.
 *
 * @module
 */

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "address already in use",
  EADDRNOTAVAIL: "address not available on this machine",
  ECONNABORTED: "connection aborted",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EHOSTUNREACH: "no route to host",
  EEXIST: "file exists",
  EFBIG: "file too large",
  EIO: "input/output error",
  EISDIR: "it is a directory",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
  ENOENT: "no such file or directory",
  ENOTDIR: "a part of its path is not a directory",
  EPERM: "operation not permitted",
  ETXTBSY: "the file is a running program",
  ENXIO: "no such device or address",
  EBUSY: "device or resource busy",
  EDQUOT: "disk quota exceeded",
  EMFILE: "too many open files (see ulimit -n)",
  ENETUNREACH: "network is unreachable",
  ENFILE: "too many open files on this machine",
  ENOBUFS: "no buffer space available",
  ENOMEM: "out of memory",
  ENOTCONN: "the client disconnected before it was accepted",
  ENOTFOUND: "host name not found",
  EAI_AGAIN: "name resolution failed",
  ENOSPC: "no space left on device",
  EPIPE: "the peer has closed the connection",
  EROFS: "read-only file system",
  ETIMEDOUT: "connection timed out",
};

/**
 * What Deno adds to the system's message: the error's name or number, and the failing operation.
 */
const RUNTIME_DETAILS = /^E[A-Z]+: | \(os error \d+\)(?:: \w+ '.*')?|, \w+ '[^']*'$/gs;

/** The error's message on one line, without what Deno adds. */
export function explain(error: unknown): string {
  const code = codeOf(error);
  if (code !== undefined && code in TEXTS) return TEXTS[code]!;
  const message = error instanceof Error ? error.message : String(error);
  if (/failed to lookup address information: .*not known/.test(message)) return TEXTS.ENOTFOUND!;
  if (/failed to lookup address information/.test(message)) return TEXTS.EAI_AGAIN!;
  return message.replace(RUNTIME_DETAILS, "").replace(/\s+/g, " ");
}

/** Whether the peer has reset the connection (RST) instead of closing it. */
export function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.NotConnected;
}

/** Errors that mean that this machine has run out of a resource. */
const RESOURCE_ERRORS = new Set(["EADDRNOTAVAIL", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"]);

/** Whether this machine lacked a resource, so the error says nothing about the peer. */
export function isShortage(error: unknown): boolean {
  return RESOURCE_ERRORS.has(codeOf(error) ?? "");
}

/** The peer closed in the middle of a message: the data is truncated. */
export class CutOffError extends Error {
  /** Distinguishes it from system errors. */
  override readonly name = "CutOffError";

  /** `how` says what the peer did. */
  constructor(how: string) {
    super(`cut off: ${how}`);
  }
}

/** The peer ended the connection by a message that names a failure, or did not answer. */
export class ProtocolEnd extends Error {
  /** Distinguishes it from system errors. */
  override readonly name = "ProtocolEnd";

  /** The reason as in `closed` events. */
  constructor(readonly reason: "ping timeout" | `closed with ${string}`) {
    super(reason);
  }
}

/** Why a connection broke. */
export type ConnectionFault =
  | "peer reset"
  | ProtocolEnd["reason"]
  | `cut off: ${string}`
  | `error: ${string}`;

/** Why a connection ended, for its `closed` event. */
export function faultOf(error: unknown): ConnectionFault {
  if (error instanceof CutOffError) return error.message as `cut off: ${string}`;
  if (error instanceof ProtocolEnd) return error.reason;
  return isReset(error) ? "peer reset" : `error: ${explain(error)}`;
}

/** The system's code of the error, such as `ECONNREFUSED`, if it has one. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}
