/**
 * Errors of the address or the port that a connection should come from.
 *
 * @module
 */
import { formatAddress } from "../endpoint/address.ts";
import type { Source } from "../endpoint/source.ts";
import { codeOf, explain } from "./errors.ts";

/** A connection cannot come from the source that was asked for, whoever it is to. */
export class SourceError extends Error {
  /** Distinguishes it from errors of the target. */
  override readonly name = "SourceError";
  /** This machine lacks something. */
  readonly code = "EADDRNOTAVAIL";

  /** Explains the system's error. */
  constructor(cause: unknown, source: OwnEnd) {
    super(`cannot come from ${nameOf(source)}: ${meaningOf(cause, source)}`, { cause });
  }
}

/** The source of a connection, or of datagrams. */
interface OwnEnd extends Source {
  /** Present for datagrams. */
  readonly transport?: "udp";
}

/** What is wrong with an address that is not to be had. */
export const NOT_HERE = "no interface of this machine has that address";

function nameOf({ hostname, port }: Source): string {
  if (port === undefined) return hostname ?? "there";
  return hostname === undefined ? `port ${port}` : formatAddress({ hostname, port });
}

function meaningOf(cause: unknown, { transport, hostname, port }: OwnEnd): string {
  switch (codeOf(cause)) {
    case "EADDRINUSE":
      if (transport === "udp") return "the port is in use";
      return "the port is in use, or was until a minute ago (TIME_WAIT)";
    case "EACCES":
      return `port ${port} needs root or the capability CAP_NET_BIND_SERVICE`;
    // Deno reports EADDRNOTAVAIL as EINVAL.
    case "EINVAL":
    case "EADDRNOTAVAIL":
      return hostname === undefined ? explain(cause) : NOT_HERE;
    default:
      return explain(cause);
  }
}
