/**
 * Certificates by the server names that they are for (SNI, RFC 6066 section 3).
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { UsageError } from "../../options/usage_error.ts";
import type { KeyPair } from "./key_pair.ts";
import { readServingPair } from "./serving_pair.ts";

/** Pairs by name in lower case; a wildcard stands for one label. */
export type NamedPairs = ReadonlyMap<string, KeyPair>;

/**
 * Reads further certificates, each with its key in the same file. Their names are those of the
 * certificate; the earlier one of two with the same name is used.
 * @throws {UsageError} which file is invalid, or would never be used
 */
export async function readNamedPairs(
  files: readonly string[],
  { first, passwordFile, before }: {
    /** The certificate for all other names. */
    readonly first: KeyPair;
    readonly passwordFile: string | undefined;
    /** What was in the files; the same pairs are not tested again. */
    readonly before: NamedPairs | undefined;
  },
): Promise<NamedPairs> {
  const pairs = new Map<string, KeyPair>();
  if (files.length > 0) add(first, pairs);
  const tested = [...new Set(before?.values() ?? [])];
  for (const [at, certFile] of files.entries()) {
    const option = "tls-sni-cert";
    const known = tested[at + 1];
    const pair = await readServingPair({ certFile, passwordFile, option, known });
    if (add(pair, pairs) > 0) continue;
    throw new UsageError(
      `${option} ${certFile}: it would never be used: it has no name (subjectAltName) that no ` +
        "certificate before it has",
      { option },
    );
  }
  return pairs;
}

/** The certificate for the name that a client asks for; `undefined` if there is none. */
export function pairFor(name: string, pairs: NamedPairs): KeyPair | undefined {
  const asked = name.toLowerCase().replace(/\.$/, "");
  return pairs.get(asked) ?? pairs.get(asked.replace(/^[^.]+/, "*"));
}

/** Adds a pair under its names; returns how many of them are new. */
function add(pair: KeyPair, pairs: Map<string, KeyPair>): number {
  const names = namesOf(pair.cert).filter((name) => !pairs.has(name));
  for (const name of names) pairs.set(name, pair);
  return names.length;
}

function namesOf(cert: string): string[] {
  const { subjectAltName = "" } = new X509Certificate(cert);
  return subjectAltName.split(", ").filter((name) => name.startsWith("DNS:"))
    .map((name) => name.slice("DNS:".length).toLowerCase());
}
