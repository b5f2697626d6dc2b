/**
 * What the console does not do, and why: the fault of whoever asked, or of the system.
 *
 * @module
 */

/** Ends a request with a status and a reason. */
export class HttpError extends Error {
  /** Tells it from faults of our own. */
  override readonly name = "Refusal";
  /** The HTTP status. */
  readonly status: number;
  /** The field of the request that is at fault, where it is one. */
  readonly field: string | undefined;

  /** A refusal whose message is shown as it stands. */
  constructor(status: number, message: string, { field }: { field?: string } = {}) {
    super(message);
    this.status = status;
    this.field = field;
  }
}
