/**
 * The router of the API.
 *
 * @module
 */
import { UsageError } from "../options/usage_error.ts";
import { explain } from "../transport/errors.ts";
import { HttpError } from "./http_error.ts";
import { ApiRequest } from "./request.ts";

/**
 * Handles a request: returns a response, or a value that is sent as JSON; `undefined` becomes 204.
 */
export type Answer = (request: ApiRequest) => Promise<unknown> | unknown;

/** The base path of the API. Breaking changes need another version. */
export const API = "/api/v1";

/**
 * Handlers by method and path within the API, such as `GET /connections/:id`; `:id` is a whole
 * number.
 */
export type Routes = Readonly<Record<string, Answer>>;

interface Route {
  readonly method: string;
  readonly pattern: URLPattern;
  readonly answer: Answer;
}

/** Calls the handler of a request, and turns errors into responses. */
export class Router {
  readonly #routes: readonly Route[];

  /** A router of these routes. */
  constructor(routes: Routes) {
    this.#routes = Object.entries(routes).map(([key, answer]) => {
      const [method = "", pathname = ""] = key.split(" ");
      const path = API + pathname.replaceAll(":id", ":id(\\d{1,15})");
      const pattern = new URLPattern({ pathname: path });
      return { method, pattern, answer };
    });
  }

  /** Handles a request. */
  async answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const routes = this.#routes.filter(({ pattern }) => pattern.test(url));
    if (routes.length === 0) throw new HttpError(404, `there is no ${url.pathname}`);
    const route = routes.find(({ method }) => method === request.method);
    if (!route) {
      const methods = routes.map(({ method }) => method).join(", ");
      throw new HttpError(405, `${url.pathname} takes ${methods}`);
    }
    if (request.method === "POST") expectJson(request);
    const params = route.pattern.exec(url)?.pathname.groups ?? {};
    const answer = await route.answer(new ApiRequest(request, { params, query: url.searchParams }));
    if (answer instanceof Response) return answer;
    return answer === undefined ? new Response(null, { status: 204 }) : json(answer);
  }
}

/**
 * Requires the content type JSON of requests with side effects, even without a body: HTML forms of
 * other sites cannot send it.
 * @throws {HttpError} with status 415
 */
function expectJson({ headers }: Request): void {
  if (/^application\/json\s*(;|$)/i.test(headers.get("content-type") ?? "")) return;
  throw new HttpError(415, "expected a body of JSON (content-type: application/json)");
}

/** A JSON response that is not cached. */
export function json(value: unknown, { status = 200 }: { status?: number } = {}): Response {
  return Response.json(value, { status, headers: { "cache-control": "no-store" } });
}

/** The response for an error: `{"error": "…", "field": "…"}`. */
export function refused(error: unknown): Response {
  if (error instanceof HttpError) {
    return json({ error: error.message, field: error.field }, { status: error.status });
  }
  const status = error instanceof UsageError ? 400 : 500;
  return json({ error: explain(error) }, { status });
}
