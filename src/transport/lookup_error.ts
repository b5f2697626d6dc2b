/**
 * Why a name could not be looked up.
 *
 * @module
 */
import { formatDuration } from "../options/quantity.ts";

/** From so many milliseconds on, a failure is silence: systems wait a second at least for a name server. */
const SILENCE = 900;

/** The code of a name that was not looked up, because too many others are silent. */
export const TOO_MANY_LOOKUPS = "TOO_MANY_LOOKUPS";

/** A name has no addresses, or nobody says which. */
export class LookupError extends Error {
  /** Tells it from faults of a connection. */
  override readonly name = "LookupError";
  /** The name servers know of no such address, did not answer, could not say, or were not asked. */
  readonly kind: "unknown" | "unanswered" | "failed" | "refused";

  /** Puts into words what the system said after `took` milliseconds. */
  constructor(cause: unknown, { took }: { took: number }) {
    const { code, message } = cause as Error & { code?: unknown };
    const kind = kindOf(code, took);
    super(wordsOf({ kind, code, message, took }), { cause });
    this.kind = kind;
  }
}

function kindOf(code: unknown, took: number): LookupError["kind"] {
  if (code === "ENOTFOUND" || code === "ENODATA") return "unknown";
  if (code === TOO_MANY_LOOKUPS) return "refused";
  return code === "EAI_AGAIN" && took >= SILENCE ? "unanswered" : "failed";
}

function wordsOf(
  { kind, code, message, took }: {
    kind: LookupError["kind"];
    code: unknown;
    message: string;
    took: number;
  },
): string {
  switch (kind) {
    case "unknown":
      return "no such name: the name servers know no address for it";
    case "unanswered":
      return `the name server does not answer: gave up after ${formatDuration(took)} ` +
        "(/etc/resolv.conf says which it is)";
    case "refused":
      return `the name was not looked up: ${message}`;
    case "failed":
      return code === "EAI_AGAIN"
        ? "the name could not be looked up: the name server failed, or there is none where " +
          "/etc/resolv.conf says"
        : `the name could not be looked up: ${message}`;
  }
}
