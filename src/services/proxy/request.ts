/**
 * The requests of a proxy's clients, whatever protocol they speak.
 *
 * @module
 */
import type { RelayFilters } from "../../connection/relay.ts";
import type { Address, InternetAddress } from "../../endpoint/address.ts";
import type { ClientReader } from "./client_reader.ts";
import type { Refusal } from "./refusal.ts";

/** A request. */
export interface ProxyRequest {
  /** What is asked for: a connection, to accept one, or to relay datagrams (RFC 1928, section 4). */
  readonly command: "connect" | "bind" | "associate";
  /** The protocol and the command, for the `request` note. */
  readonly name: string;
  /** Where to; for `bind` who will connect, for `associate` where the client sends from. */
  readonly target: InternetAddress;
  /** A message that is sent on, and the filters for the rest of it and for the answer. */
  readonly message?: { readonly head: Uint8Array } & RelayFilters | undefined;
}

/** One protocol, as it is spoken to one client. */
export interface ProxyProtocol {
  /**
   * Reads the request, and asks for a password if one is needed.
   * @throws {Refusal} why there is none that could be served
   */
  readRequest(reader: ClientReader): Promise<ProxyRequest>;
  /** The answer to a request that is granted, with the address at which the proxy serves it. */
  granted(request: ProxyRequest, address: Address): Uint8Array;
  /** The answer to a request that is refused or has failed. */
  refused(refusal: Refusal): Uint8Array;
}

/** Checks passwords. */
export interface Authenticator {
  /**
   * Checks a password.
   * @throws {Refusal} why it is not accepted
   */
  check(user: string, password: string): Promise<void>;
}
