/**
 * The origin of a WebSocket's page (RFC 6454). A browser lets every page connect everywhere, so a
 * server on localhost has to look at it.
 *
 * @module
 */
import type { OptionKind } from "../../options/kinds.ts";

/** The option kind of an origin that is allowed. */
export const ORIGIN: OptionKind<string> = {
  expects: "an origin such as https://example.org, null, or * for every page",
  placeholder: "ORIGIN",
  parse(word) {
    if (word === "*" || word === "null") return word;
    const url = URL.canParse(word) ? new URL(word) : undefined;
    if (url === undefined || url.host === "") return undefined;
    const hasMore = /^[^:]+:\/\/[^/]*$/.exec(word.replace(/\/$/, "")) === null ||
      url.username !== "";
    return hasMore ? undefined : `${url.protocol}//${url.host}`;
  },
};

/**
 * Why a page of this origin may not connect; `undefined` if it may. Without an origin it is no page.
 * By default, only pages of the same host and port may.
 */
export function originFault(
  origins: readonly string[],
  { host, allowed }: { host: string; allowed: readonly string[] },
): string | undefined {
  const [origin, ...more] = origins;
  if (origin === undefined) return undefined;
  if (more.length > 0) return "more than one Origin";
  if (allowed.includes("*")) return undefined;
  if (origin === "null") return allowed.includes("null") ? undefined : "Origin null";
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  const name = url && `${url.protocol}//${url.host}`;
  if (url === undefined || url.host === "") return "an Origin that is no origin";
  if (allowed.includes(name!)) return undefined;
  return url.host === hostOf(host, url.protocol) ? undefined : "an Origin of another host";
}

/** The `Host` without the default port of the origin's scheme, as a URL has it. */
function hostOf(host: string, protocol: string): string | undefined {
  const text = `${protocol}//${host}`;
  return URL.canParse(text) ? new URL(text).host : undefined;
}
