/**
 * A self-signed certificate, created once for each user. Clients pin its fingerprint.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { generate } from "selfsigned";
import { explain } from "../errors.ts";

/** The validity in days, and how many days before its end it is renewed. */
const VALID = 3650;
const RENEW = 30;

const DAY = 86_400_000;

/** Alternative names by kind (RFC 5280, section 4.2.1.6). */
const NAME = { dns: 2, ip: 7 } as const;

/**
 * The path of the user's certificate and key, in outlet's config directory. It is created if it does
 * not exist or is about to expire.
 * @throws {Error} why it cannot be stored
 */
export async function selfSigned(): Promise<string> {
  const directory = configDirectory();
  const file = `${directory}/self-signed.pem`;
  if (await isGood(file)) return file;
  try {
    await Deno.mkdir(directory, { recursive: true, mode: 0o700 });
    const temporary = await Deno.makeTempFile({ dir: directory, prefix: ".self-signed-" });
    await Deno.writeTextFile(temporary, await make(), { mode: 0o600 });
    await Deno.rename(temporary, file);
    return file;
  } catch (cause) {
    throw new Error(`cannot save the self-signed certificate in ${directory}: ${explain(cause)}`, {
      cause,
    });
  }
}

async function make(): Promise<string> {
  const hostname = Deno.hostname();
  const now = Date.now();
  const { cert, private: key } = await generate([{ name: "commonName", value: hostname }], {
    keyType: "ec",
    curve: "P-256",
    notBeforeDate: new Date(now - DAY),
    notAfterDate: new Date(now + VALID * DAY),
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: [
          { type: NAME.dns, value: "localhost" },
          { type: NAME.dns, value: hostname },
          { type: NAME.ip, ip: "127.0.0.1" },
          { type: NAME.ip, ip: "::1" },
        ],
      },
    ],
  });
  return cert.trimEnd() + "\n" + key.trimEnd() + "\n";
}

async function isGood(file: string): Promise<boolean> {
  try {
    const { validTo } = new X509Certificate(await Deno.readTextFile(file));
    return new Date(validTo).getTime() > Date.now() + RENEW * DAY;
  } catch {
    return false;
  }
}

/** The user's config directory (XDG Base Directory). */
function configDirectory(): string {
  const base = Deno.env.get("XDG_CONFIG_HOME") || `${Deno.env.get("HOME") ?? ""}/.config`;
  return `${base}/outlet`;
}
