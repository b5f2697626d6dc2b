/**
 * What a request says, read with bounds: a body is JSON, and is short. (That it comes in time is
 * the HTTP server's business.)
 *
 * @module
 */
import { HttpError } from "./http_error.ts";

/** The most bytes of a body. */
const LARGEST = 256 * 1024;

/** What a body has to be: a schema of zod's, as far as it is asked here. */
export interface Schema<T> {
  /** Reads what JSON said. */
  safeParse(value: unknown, options: { reportInput: true }):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly Fault[] } };
}

/** What is wrong with a body, and where. */
export interface Fault {
  /** The keys and places in lists that lead there. */
  readonly path: readonly PropertyKey[];
  /** What is wrong, in words. */
  readonly message: string;
}

/** A request that has passed the guard. */
export class Asked {
  /** What stands in the path where the route has a name. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** What stands behind the `?`. */
  readonly query: URLSearchParams;
  readonly #request: Request;

  /** What was asked under a route's pattern. */
  constructor(
    request: Request,
    { params, query }: Pick<Asked, "params" | "query">,
  ) {
    this.#request = request;
    this.params = params;
    this.query = query;
  }

  /** The number in the path. */
  get id(): number {
    return Number(this.params.id);
  }

  /** The request's header of this name. */
  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  /**
   * A whole number that stands behind the `?`.
   *
   * @throws {HttpError} with status 400
   */
  wholeNumber(name: string, otherwise: number): number {
    const word = this.query.get(name) ?? String(otherwise);
    if (/^\d{1,9}$/.test(word)) return Number(word);
    throw new HttpError(400, `${name}: expected a whole number`, { field: name });
  }

  /**
   * The body, which has to be as the schema says.
   *
   * @throws {HttpError} with status 413 or 400
   */
  async body<T>(schema: Schema<T>): Promise<T> {
    const read = schema.safeParse(parse(await this.#text()), { reportInput: true });
    if (read.success) return read.data;
    const { path, message } = read.error.issues[0]!;
    const field = path.join(".");
    throw new HttpError(400, field === "" ? message : `${field}: ${message}`, { field });
  }

  async #text(): Promise<string> {
    const reader = this.#request.body?.getReader();
    if (!reader) return "";
    const decoder = new TextDecoder();
    let text = "";
    let length = 0;
    try {
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        length += part.value.length;
        if (length > LARGEST) throw new HttpError(413, `expected at most ${LARGEST} bytes`);
        text += decoder.decode(part.value, { stream: true });
      }
    } finally {
      await reader.cancel().catch(() => {});
    }
    return text + decoder.decode();
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, "the body is no JSON");
  }
}
