/**
 * Which request is answered by what.
 *
 * @module
 */
import { UsageError } from "../options/usage_error.ts";
import { explain } from "../transport/errors.ts";
import { HttpError } from "./http_error.ts";
import { Asked } from "./request.ts";

/** Answers a request: with a response of its own, or with what becomes JSON; nothing is 204. */
export type Answer = (asked: Asked) => Promise<unknown> | unknown;

/** Where the API is. Whatever would break a program that uses it has to come with another number. */
export const API = "/api/v1";

/** Answers by method and path within the API, such as `GET /connections/:id`; `:id` is a whole number. */
export type Routes = Readonly<Record<string, Answer>>;

interface Route {
  readonly method: string;
  readonly pattern: URLPattern;
  readonly answer: Answer;
}

/** Finds the answer to a request, and turns what it throws into an answer, too. */
export class Router {
  readonly #routes: readonly Route[];

  /** Over these routes. */
  constructor(routes: Routes) {
    this.#routes = Object.entries(routes).map(([place, answer]) => {
      const [method = "", pathname = ""] = place.split(" ");
      const path = API + pathname.replaceAll(":id", ":id(\\d{1,15})");
      const pattern = new URLPattern({ pathname: path });
      return { method, pattern, answer };
    });
  }

  /** The answer. */
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
    const answer = await route.answer(new Asked(request, { params, query: url.searchParams }));
    if (answer instanceof Response) return answer;
    return answer === undefined ? new Response(null, { status: 204 }) : json(answer);
  }
}

/**
 * Whatever changes something is asked for in JSON, also where it needs no words: no form of another site can ask so.
 *
 * @throws {HttpError} with status 415
 */
function expectJson({ headers }: Request): void {
  if (/^application\/json\s*(;|$)/i.test(headers.get("content-type") ?? "")) return;
  throw new HttpError(415, "expected a body of JSON (content-type: application/json)");
}

/** An answer in JSON, which no browser keeps. */
export function json(value: unknown, { status = 200 }: { status?: number } = {}): Response {
  return Response.json(value, { status, headers: { "cache-control": "no-store" } });
}

/** What went wrong, as an answer: `{"error": "…", "field": "…"}`. */
export function refused(error: unknown): Response {
  if (error instanceof HttpError) {
    return json({ error: error.message, field: error.field }, { status: error.status });
  }
  const status = error instanceof UsageError ? 400 : 500;
  return json({ error: explain(error) }, { status });
}
