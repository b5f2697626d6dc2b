/**
 * Errors with an HTTP status.
 *
 * @module
 */

/** Ends a request with a status and a message. */
export class HttpError extends Error {
  /** Distinguishes it from internal errors. */
  override readonly name = "HttpError";
  /** The HTTP status. */
  readonly status: number;
  /** The field of the request body that is wrong, if there is one. */
  readonly field: string | undefined;

  /** An error whose message is shown to the user. */
  constructor(status: number, message: string, { field }: { field?: string } = {}) {
    super(message);
    this.status = status;
    this.field = field;
  }
}
