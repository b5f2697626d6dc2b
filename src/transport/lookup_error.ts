/**
 * Errors of name look-ups.
 *
 * @module
 */
import { formatDuration } from "../options/quantity.ts";

/**
 * A failure after this many milliseconds is a timeout: resolvers wait at least a second for a name
 * server.
 */
const MIN_TIMEOUT = 900;

/** The code of a look-up that was refused because too many others are unanswered. */
export const TOO_MANY_LOOKUPS = "TOO_MANY_LOOKUPS";

/** A name could not be resolved. */
export class LookupError extends Error {
  /** Distinguishes it from connection errors. */
  override readonly name = "LookupError";
  /**
   * `unknown`: no such name or no addresses. `unanswered`: name servers did not respond. `failed`:
   * they reported a failure. `refused`: the queue is full.
   */
  readonly kind: "unknown" | "unanswered" | "failed" | "refused";

  /** Explains the system's error after `elapsed` milliseconds. */
  constructor(cause: unknown, { elapsed }: { elapsed: number }) {
    const { code, message } = cause as Error & { code?: unknown };
    const kind = kindOf(code, elapsed);
    super(textOf({ kind, code, message, elapsed }), { cause });
    this.kind = kind;
  }
}

function kindOf(code: unknown, elapsed: number): LookupError["kind"] {
  if (code === "ENOTFOUND" || code === "ENODATA") return "unknown";
  if (code === TOO_MANY_LOOKUPS) return "refused";
  return code === "EAI_AGAIN" && elapsed >= MIN_TIMEOUT ? "unanswered" : "failed";
}

function textOf(
  { kind, code, message, elapsed }: {
    kind: LookupError["kind"];
    code: unknown;
    message: string;
    elapsed: number;
  },
): string {
  switch (kind) {
    case "unknown":
      return "host name not found: the name servers have no address for it";
    case "unanswered":
      return `the name server does not answer: timed out after ${formatDuration(elapsed)} ` +
        "(see /etc/resolv.conf)";
    case "refused":
      return `the name was not looked up: ${message}`;
    case "failed":
      return code === "EAI_AGAIN"
        ? "name resolution failed: the name server failed, or there is none at the address in " +
          "/etc/resolv.conf"
        : `name resolution failed: ${message}`;
  }
}
