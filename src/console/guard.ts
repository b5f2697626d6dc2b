/**
 * Checks the host and the origin of every request, and adds security headers to every response.
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

/**
 * Headers of every response. Styles that scripts set through the DOM are allowed; inline styles are
 * not.
 */
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

/** The guard of a console at one address. */
export class Guard {
  readonly #address: InternetAddress;
  readonly #scheme: "http" | "https";

  /** Takes the address that the console is bound to. */
  constructor(address: InternetAddress, { scheme }: { scheme: "http" | "https" }) {
    this.#address = address;
    this.#scheme = scheme;
  }

  /** The origin of the page. */
  get origin(): string {
    const { hostname, port } = this.#address;
    const host = isWildcard(hostname) ? (hostname === "::" ? "::1" : "127.0.0.1") : hostname;
    return `${this.#scheme}://${formatAddress({ hostname: host, port })}`;
  }

  /**
   * Rejects requests with a foreign host (DNS rebinding) or from pages of other origins.
   * @throws {HttpError} with status 400 without a host, 421 for a foreign one, 403 for a foreign
   * origin
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

  /** Adds the security headers to a response. */
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
