/**
 * Chooses the upstreams of a client by its first bytes: by protocol, or by the server name of TLS.
 *
 * @module
 */
import { formatDuration } from "../../options/quantity.ts";
import type { Connection } from "../../connection/connection.ts";
import { type FirstBytes, inspect } from "./inspect.ts";

/** The upstreams of each route. */
export interface RouterOptions<Upstreams> {
  /** By server name in lower case, or `*.NAME`. */
  readonly byName: ReadonlyMap<string, Upstreams>;
  /** For all other server names, and clients that ask for none. */
  readonly otherNames: Upstreams | undefined;
  /** By protocol, or `else`. */
  readonly byProtocol: ReadonlyMap<string, Upstreams>;
  /** The time limit of the first bytes in milliseconds. */
  readonly timeout: number;
}

/** A route, or why there is none. */
type Choice<Upstreams> =
  | { readonly route: string; readonly upstreams: Upstreams }
  | { readonly refusal: string };

/** The alert unrecognized_name (RFC 6066, section 3), which is fatal. */
const UNRECOGNIZED_NAME = Uint8Array.of(0x15, 3, 3, 0, 2, 2, 112);

/** Chooses upstreams for clients. */
export class Router<Upstreams> {
  readonly #options: RouterOptions<Upstreams>;

  /** A router with these routes. */
  constructor(options: RouterOptions<Upstreams>) {
    this.#options = options;
  }

  /**
   * The upstreams for a client, whose notes tell the server name and the route; `undefined` if there
   * are none, which ends it.
   */
  async route(client: Connection): Promise<Upstreams | undefined> {
    const { byName, otherNames, timeout } = this.#options;
    const readsServerName = byName.size > 0 || otherNames !== undefined;
    const first = await inspect(client, { timeout, readsServerName });
    if (first.serverName !== undefined) client.note("sni", first.serverName);
    const choice = this.#choose(first, readsServerName);
    if ("refusal" in choice) return void await refuse(client, { first, refusal: choice.refusal });
    client.note("route", choice.route);
    return choice.upstreams;
  }

  #choose(first: FirstBytes, readsServerName: boolean): Choice<Upstreams> {
    const { protocol, fault } = first;
    if (fault !== undefined) return { refusal: fault };
    if (protocol === "tls" && readsServerName) return this.#byName(first.serverName);
    const { byProtocol, timeout } = this.#options;
    // As sslh does: a client that waits for the server to begin may speak SSH.
    const tried = protocol === "silent" ? ["else", "ssh"] : [protocol, "else"];
    for (const route of tried) {
      const upstreams = byProtocol.get(route);
      if (upstreams !== undefined) return { route, upstreams };
    }
    const what = protocol === "silent"
      ? `it sent nothing in ${formatDuration(timeout)}`
      : protocol === "else"
      ? "its first bytes are of no known protocol"
      : `it speaks ${protocol.toUpperCase()}`;
    return { refusal: byProtocol.size === 0 ? `not TLS: ${what}` : `no route: ${what}` };
  }

  #byName(name: string | undefined): Choice<Upstreams> {
    const { byName, otherNames } = this.#options;
    const route = name === undefined ? undefined : patternsFor(name).find((one) => byName.has(one));
    if (route !== undefined) return { route, upstreams: byName.get(route)! };
    if (otherNames !== undefined) return { route: "sni-default", upstreams: otherNames };
    // The name is in the notes: the reason is a label of metrics.
    return {
      refusal: `no route for ${name === undefined ? "clients without" : "its"} server name`,
    };
  }
}

/** The name and the wildcards that stand for it, the longest first. */
function patternsFor(name: string): string[] {
  const labels = name.replace(/\.$/, "").split(".");
  return [
    labels.join("."),
    ...labels.slice(1).map((_, at) => `*.${labels.slice(at + 1).join(".")}`),
  ];
}

/** Closes the connection; a TLS client is sent an alert first. */
async function refuse(
  client: Connection,
  { first, refusal }: { readonly first: FirstBytes; readonly refusal: string },
): Promise<void> {
  const reason = `refused: ${refusal}` as const;
  if (first.protocol !== "tls" || first.fault !== undefined) return client.reset(reason);
  client.endAs(reason);
  await client.write(UNRECOGNIZED_NAME);
}
