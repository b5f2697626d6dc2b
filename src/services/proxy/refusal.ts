/**
 * Requests that are not served.
 *
 * @module
 */

/** Why a request is not served; each protocol has an answer for it. */
export type RefusalKind =
  | "malformed"
  | "not supported"
  | "address not supported"
  | "password needed"
  | "not allowed"
  | "busy"
  | "unknown name"
  | "network unreachable"
  | "host unreachable"
  | "connection refused"
  | "timed out"
  | "failed";

/** A request is not served. The message is the reason, for the client and for the event. */
export class Refusal extends Error {
  /** Distinguishes it from errors of the client's connection. */
  override readonly name = "Refusal";
  /** What the answer says. */
  readonly kind: RefusalKind;
  /** The answer, if the protocol's own does not fit because the request is not complete. */
  readonly answer: Uint8Array | undefined;

  /** `message` is the reason. */
  constructor(
    kind: RefusalKind,
    message: string,
    { answer, cause }: { answer?: Uint8Array | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.kind = kind;
    this.answer = answer;
  }
}
