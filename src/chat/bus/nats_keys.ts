/**
 * The credentials for a NATS server, and the authorities it is verified with.
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

/** Keys of a bus. */
export interface NatsKeys {
  /** A user JWT and its NKEY seed, in the format of an `nsc` .creds file. */
  readonly credentials?: string | undefined;
  /** The trusted certificate authorities, as PEM. */
  readonly ca?: string | undefined;
}

/**
 * Reads the keys from these files.
 *
 * @throws {UsageError} with the file that cannot be used, and the reason
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
 * The connection options of the NATS library.
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
