/**
 * Parses API requests. Bodies are JSON with a size limit. (The HTTP server has the time limit.)
 *
 * @module
 */
import { HttpError } from "./http_error.ts";

/** The maximum size of a body in bytes. */
const MAX_BODY = 256 * 1024;

/** The schema of a body: the part of zod's interface that is used here. */
export interface Schema<T> {
  /** Validates parsed JSON. */
  safeParse(value: unknown, options: { reportInput: true }):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly issues: readonly Fault[] } };
}

/** A validation error. */
export interface Fault {
  /** The path to the invalid value. */
  readonly path: readonly PropertyKey[];
  /** The message. */
  readonly message: string;
}

/** An API request that has passed the guard. */
export class ApiRequest {
  /** The path parameters. */
  readonly params: Readonly<Record<string, string | undefined>>;
  /** The query parameters. */
  readonly query: URLSearchParams;
  readonly #request: Request;

  /** A request that matched a route. */
  constructor(
    request: Request,
    { params, query }: Pick<ApiRequest, "params" | "query">,
  ) {
    this.#request = request;
    this.params = params;
    this.query = query;
  }

  /** The path parameter `id`. */
  get id(): number {
    return Number(this.params.id);
  }

  /** A header of the request. */
  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  /**
   * A query parameter that is a whole number.
   * @throws {HttpError} with status 400
   */
  wholeNumber(name: string, otherwise: number): number {
    const word = this.query.get(name) ?? String(otherwise);
    if (/^\d{1,9}$/.test(word)) return Number(word);
    throw new HttpError(400, `${name}: expected a whole number`, { field: name });
  }

  /**
   * Reads and validates the body.
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
        if (length > MAX_BODY) throw new HttpError(413, `expected at most ${MAX_BODY} bytes`);
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
    throw new HttpError(400, "the body is not JSON");
  }
}
