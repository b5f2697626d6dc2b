/**
 * Serves the page's files. They are part of the program, also when it is compiled; nothing is read
 * from disk, so path traversal is impossible.
 *
 * @module
 */
import { HttpError } from "./http_error.ts";
import * as texts from "./page_texts.ts";

const FILES: Readonly<Record<string, string>> = texts;

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** The names of the page's files. */
export const PAGE_FILES: readonly string[] = Object.keys(FILES);

/**
 * The file of a request; `/` is `index.html`.
 * @throws {HttpError} with status 404 or 405
 */
export function pageFile({ method, url }: Request): Response {
  const path = new URL(url).pathname;
  const name = path === "/" ? "index.html" : path.slice(1);
  if (!Object.hasOwn(FILES, name)) throw new HttpError(404, `there is no ${path}`);
  if (method !== "GET" && method !== "HEAD") throw new HttpError(405, `${path} takes GET`);
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)]!;
  return new Response(method === "HEAD" ? null : FILES[name]!, {
    headers: { "content-type": type, "cache-control": "no-cache" },
  });
}
