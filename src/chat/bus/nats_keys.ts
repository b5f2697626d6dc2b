/**
 * Who we are to a NATS server, and whom we trust to be one.
 *
 * @module
 */
import { UsageError } from "../../options/usage_error.ts";
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
} from "@nats-io/transport-node";
import { readPem } from "../../transport/tls/pem.ts";
import type { NatsUrl } from "../../endpoint/nats_url.ts";

/** What a bus may need besides its address. */
export interface NatsKeys {
  /** Who we are: a JWT and the seed of its key, as `nsc` writes them into a file. */
  readonly credentials?: string | undefined;
  /** The authorities to trust, as PEM. */
  readonly ca?: string | undefined;
}

/**
 * The keys in these files.
 *
 * @throws {UsageError} which names the file that can't be used, and the reason
 */
export async function readNatsKeys(paths: NatsKeys): Promise<NatsKeys> {
  const [credentials, ca] = await Promise.all([
    readPem(paths.credentials, "bus-credentials"),
    readPem(paths.ca, "bus-ca"),
  ]);
  try {
    if (credentials !== undefined) authenticatorOf(credentials)("a nonce");
  } catch (cause) {
    throw new UsageError(
      `bus-credentials ${paths.credentials}: expected a user's JWT and the seed of its key, as nsc writes them`,
      { cause },
    );
  }
  return { credentials, ca };
}

/**
 * What the library is told of all that.
 *
 * @internal
 */
export function optionsOf(
  { user, password, tls }: NatsUrl,
  { credentials, ca }: NatsKeys,
): ConnectionOptions {
  return {
    ...(tls || ca !== undefined ? { tls: ca === undefined ? {} : { ca } } : {}),
    ...(user !== undefined && password !== undefined ? { user, pass: password } : {}),
    ...(user !== undefined && password === undefined ? { token: user } : {}),
    ...(credentials !== undefined ? { authenticator: authenticatorOf(credentials) } : {}),
  };
}

function authenticatorOf(credentials: string): Authenticator {
  return credsAuthenticator(new TextEncoder().encode(credentials));
}
