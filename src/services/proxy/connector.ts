/**
 * Connects clients of a proxy to their targets.
 *
 * @module
 */
import type { Connection } from "../../connection/connection.ts";
import { closeOnReset } from "../../connection/reset_watch.ts";
import { type InternetAddress, isIP } from "../../endpoint/address.ts";
import type { Proxy } from "../../endpoint/proxy.ts";
import { dial } from "../../transport/dial.ts";
import { DialTimeout } from "../../transport/dial_error.ts";
import { codeOf } from "../../transport/errors.ts";
import { LookupError } from "../../transport/lookup_error.ts";
import type { ByteStream } from "../../transport/stream.ts";
import type { Destinations } from "./destinations.ts";
import { Refusal, type RefusalKind } from "./refusal.ts";

/** How targets are connected to. */
export interface ConnectorOptions {
  /** Where clients may connect to. */
  readonly destinations: Destinations;
  /** The proxy to connect through. */
  readonly via: Proxy | undefined;
  /** The address of this machine that connections come from. */
  readonly source: string | undefined;
  /** The time limit in milliseconds, name look-up included. */
  readonly timeout: number;
}

/** What each code of the system means to the client. */
const KINDS: Readonly<Record<string, RefusalKind>> = {
  ECONNREFUSED: "connection refused",
  ENETUNREACH: "network unreachable",
  EHOSTUNREACH: "host unreachable",
  ETIMEDOUT: "timed out",
};

/**
 * Connects a client to its target. Its name is resolved once, and the addresses are checked then. A
 * client that resets its connection ends the attempt.
 * @throws {Refusal} why not
 */
export async function connectTarget(
  target: InternetAddress,
  { client, destinations, via, source, timeout }: ConnectorOptions & { client: Connection },
): Promise<ByteStream> {
  const { hostname } = target;
  const select = (addresses: readonly string[]) =>
    destinations.allowed(addresses, { client: client.peer, name: hostname });
  if (isIP(hostname)) select([hostname]);
  using _ = closeOnReset(client);
  try {
    return await dial({
      address: target,
      proxy: via,
      from: source === undefined ? undefined : { hostname: source },
    }, {
      timeout,
      signal: client.closed,
      select: destinations.checksAddresses(client.peer) ? select : undefined,
    });
  } catch (error) {
    client.closed.throwIfAborted();
    throw refusalOf(error as Error);
  }
}

/** What a failure means to the client: the most specific cause counts. */
export function refusalOf(error: Error): Refusal {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof Refusal) return cause;
    const kind = kindOf(cause);
    if (kind) return new Refusal(kind, error.message, { cause: error });
  }
  return new Refusal("failed", error.message, { cause: error });
}

function kindOf(cause: Error): RefusalKind | undefined {
  if (cause instanceof DialTimeout) return "timed out";
  if (!(cause instanceof LookupError)) return KINDS[codeOf(cause) ?? ""];
  switch (cause.kind) {
    case "unanswered":
      return "timed out";
    case "refused":
      return "busy";
    default:
      return "unknown name";
  }
}
