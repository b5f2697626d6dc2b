/**
 * System errors of sockets as text.
 *
 * @module
 */

const WORDS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EADDRINUSE: "the address is in use",
  EADDRNOTAVAIL: "this machine has no such address",
  ECONNABORTED: "the connection was aborted",
  ECONNREFUSED: "connection refused",
  ECONNRESET: "the connection was reset",
  EHOSTUNREACH: "no route to the host",
  EEXIST: "there is such a file already",
  EFBIG: "the file may not grow any more",
  EIO: "the device failed",
  EISDIR: "it is a folder",
  ELOOP: "its links lead in a circle",
  ENAMETOOLONG: "its name is too long",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "what should be a folder on its path is none",
  EPERM: "not permitted",
  ETXTBSY: "it is a program that runs",
  ENXIO: "there is nothing behind it",
  EBUSY: "somebody else uses it",
  EDQUOT: "the disk quota is used up",
  EMFILE: "no file descriptor is free in this process (see ulimit -n)",
  ENETUNREACH: "the network is unreachable",
  ENFILE: "no file descriptor is free on this machine",
  ENOBUFS: "the kernel has no buffer left",
  ENOMEM: "the kernel has no memory left",
  ENOTCONN: "the client was gone already",
  ENOTFOUND: "no such host name",
  EAI_AGAIN: "the name could not be looked up",
  ENOSPC: "the disk is full",
  EPIPE: "the other end has closed",
  EROFS: "the file system is read-only",
  ETIMEDOUT: "the other end stopped answering",
};

/**
 * What Deno adds to the system's message: the error's name or number, and the failing operation.
 */
const RUNTIME_DETAILS = /^E[A-Z]+: | \(os error \d+\)(?:: \w+ '.*')?|, \w+ '[^']*'$/gs;

/** The error's message on one line, without what Deno adds. */
export function explain(error: unknown): string {
  const code = codeOf(error);
  if (code !== undefined && code in WORDS) return WORDS[code]!;
  const message = error instanceof Error ? error.message : String(error);
  if (/failed to lookup address information: .*not known/.test(message)) return WORDS.ENOTFOUND!;
  if (/failed to lookup address information/.test(message)) return WORDS.EAI_AGAIN!;
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

/** Why a connection broke. */
export type ConnectionFault = "peer reset" | `cut off: ${string}` | `error: ${string}`;

/** Why a connection ended, for its `closed` event. */
export function faultOf(error: unknown): ConnectionFault {
  if (error instanceof CutOffError) return error.message as `cut off: ${string}`;
  return isReset(error) ? "peer reset" : `error: ${explain(error)}`;
}

/** The system's code of the error, such as `ECONNREFUSED`, if it has one. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
  return typeof code === "string" ? code : undefined;
}
