/**
 * The request target of a WebSocket: a path, with a query (RFC 6455, section 3).
 *
 * @module
 */
import type { OptionKind } from "../options/kinds.ts";
import { quote, UsageError } from "../options/usage_error.ts";

/** The option kind of a request path, as a server compares it: without a query. */
export const REQUEST_PATH: OptionKind<string> = {
  expects: "a path such as /chat",
  placeholder: "PATH",
  parse: (word) => /^\/[\x21-\x7e]*$/.test(word) && !/[?#]/.test(word) ? word : undefined,
};

/** The option kind of a request target, as a client sends it. */
export const REQUEST_TARGET: OptionKind<string> = {
  expects: "a path such as /chat or /chat?room=1",
  placeholder: "PATH",
  parse: (word) => /^\/[\x21-\x7e]*$/.test(word) && !word.includes("#") ? word : undefined,
};

/** Parses what follows an address: `/path?query`, `?query`, `?path=/path`, or nothing. */
export function parseRequestTarget(word: string): string {
  const [, path] = /^\?path=([^&]*)$/.exec(word) ?? [];
  const target = path === undefined ? word.replace(/^(?=\?|$)/, "/") : decodePath(path);
  const parsed = REQUEST_TARGET.parse(target);
  if (parsed !== undefined) return parsed;
  throw new UsageError(
    `request path ${
      quote(target)
    }: expected ${REQUEST_TARGET.expects}, with % escapes where it needs them`,
  );
}

function decodePath(path: string): string {
  try {
    // Escapes in the target itself stay: those of the query are removed once.
    return decodeURIComponent(path);
  } catch {
    throw new UsageError(`request path ${quote(path)}: invalid % escape`);
  }
}
