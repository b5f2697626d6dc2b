/**
 * What every request has to pass, whatever it asks for: it was meant for this console, and no other site's
 * page sent it. And what every answer says to browsers, so that nothing foreign runs in the page.
 *
 * @module
 */
import {
  formatAddress,
  type InternetAddress,
  isIPv4,
  isIPv6,
  isLoopback,
  splitHostPort,
} from "../endpoint/address.ts";
import { HttpError } from "./http_error.ts";

/** On every answer. Styles that scripts set through the DOM need no exception; inline ones have none. */
const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Guards the console at one address. */
export class Guard {
  readonly #address: InternetAddress;
  readonly #scheme: "http" | "https";

  /** For a console that is bound to this address. */
  constructor(address: InternetAddress, { scheme }: { scheme: "http" | "https" }) {
    this.#address = address;
    this.#scheme = scheme;
  }

  /** Where the page is, as a person opens it. */
  get origin(): string {
    const { hostname, port } = this.#address;
    const host = isWildcard(hostname) ? (hostname === "::" ? "::1" : "127.0.0.1") : hostname;
    return `${this.#scheme}://${formatAddress({ hostname: host, port })}`;
  }

  /**
   * Lets the request through, or says why not. A name that somebody else's name server made lead here
   * (DNS rebinding) is not ours, and a page of another origin has no business here.
   *
   * @throws {HttpError} with status 400 without a host, 421 for a foreign one, 403 for a foreign origin
   */
  check({ headers }: Request): void {
    const host = headers.get("host");
    if (host === null) throw new HttpError(400, "no Host header");
    if (!this.#isOurs(host)) {
      throw new HttpError(421, `this is ${this.origin}, not ${JSON.stringify(host)}`);
    }
    const origin = headers.get("origin");
    if (origin !== null && origin !== `${this.#scheme}://${host}`) {
      throw new HttpError(403, "pages of other origins are not served");
    }
    const site = headers.get("sec-fetch-site");
    const opens = headers.get("sec-fetch-mode") === "navigate";
    if (site !== null && !opens && site !== "same-origin" && site !== "none") {
      throw new HttpError(403, "pages of other sites are not served");
    }
  }

  /** The answer, with what browsers are to hold to. */
  seal(answer: Response): Response {
    for (const [name, value] of Object.entries(HEADERS)) answer.headers.set(name, value);
    return answer;
  }

  #isOurs(host: string): boolean {
    const { hostname: bound, port: boundPort } = this.#address;
    const defaultPort = this.#scheme === "http" ? "80" : "443";
    const parts = splitHostPort(host) ?? splitHostPort(`${host}:${defaultPort}`);
    if (!parts || parts.port !== String(boundPort)) return false;
    const name = parts.host.toLowerCase();
    if (name === bound.toLowerCase()) return true;
    if (isWildcard(bound)) return isIPv4(name) || isIPv6(name) || name === "localhost";
    return isLoopback(bound) && name === "localhost";
  }
}

function isWildcard(hostname: string): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}
