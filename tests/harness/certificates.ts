/**
 * Certificates for tests, created by openssl: a certificate authority and what it signs.
 *
 * @module
 */
import { run } from "./program.ts";

/** Paths of a certificate and its key. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** Contents of a certificate. */
export interface CertificateOptions {
  /** Its subject, in openssl's notation. */
  readonly subject?: string;
  /** Lines of openssl's extension file; without any, it is an X.509 v1 certificate. */
  readonly extensions?: readonly string[];
  /** Its last day, `YYYYMMDDHHMMSSZ`, if it is to be in the past. */
  readonly until?: string;
  /** Its first day. */
  readonly from?: string;
  /** Its issuer, if that is not the authority itself. */
  readonly signer?: Identity;
}

const FOR_LOCALHOST = ["subjectAltName=DNS:localhost,IP:127.0.0.1"];
const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** A certificate authority in a directory of its own, removed when it is disposed. */
export class CertificateAuthority implements AsyncDisposable {
  readonly folder: string;
  #made = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<CertificateAuthority> {
    const authority = new CertificateAuthority(await Deno.makeTempDir());
    await openssl("req", "-x509", ...CURVE, "-days", "30", "-subj", "/CN=test authority", [
      "-keyout",
      authority.key,
      "-out",
      authority.cert,
    ]);
    return authority;
  }

  get cert(): string {
    return `${this.folder}/ca.pem`;
  }

  get key(): string {
    return `${this.folder}/ca.key`;
  }

  /** Signs a certificate, for localhost by default. */
  async sign(
    { subject = "/CN=localhost", extensions = FOR_LOCALHOST, from, until, signer = this }:
      CertificateOptions = {},
  ): Promise<Identity> {
    const name = `${this.folder}/${++this.#made}`;
    const identity = { cert: `${name}.pem`, key: `${name}.key` };
    await openssl("req", "-new", ...CURVE, "-subj", subject, [
      "-keyout",
      identity.key,
      "-out",
      `${name}.csr`,
    ]);
    await Deno.writeTextFile(`${name}.ext`, extensions.join("\n"));
    if (from === undefined || until === undefined) {
      await openssl(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        signer.cert,
        "-CAkey",
        signer.key,
        [
          "-days",
          "20",
          "-set_serial",
          String(this.#made),
          ...extensions.length > 0 ? ["-extfile", `${name}.ext`] : [],
          "-out",
          identity.cert,
        ],
      );
    } else {
      await this.#signWithin(name, { from, until });
    }
    return identity;
  }

  /** Only `openssl ca` can set both dates; it needs a database. */
  async #signWithin(name: string, { from, until }: { from: string; until: string }): Promise<void> {
    await Deno.writeTextFile(`${name}.index`, "");
    await Deno.writeTextFile(`${name}.serial`, "01\n");
    await Deno.writeTextFile(
      `${name}.cnf`,
      `[ca]\ndefault_ca=x\n[x]\ndatabase=${name}.index\nserial=${name}.serial\n` +
        `new_certs_dir=${this.folder}\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`,
    );
    await openssl("ca", "-config", `${name}.cnf`, "-batch", "-notext", "-in", `${name}.csr`, [
      "-cert",
      this.cert,
      "-keyfile",
      this.key,
      "-startdate",
      from,
      "-enddate",
      until,
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.pem`,
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** The SHA-256 of a certificate in a file, computed by openssl. */
export async function fingerprintOf(cert: string): Promise<string> {
  const args = ["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"] as const;
  const { stdout } = await run(args);
  return stdout.trim().split("=")[1]!;
}

async function openssl(...args: (string | string[])[]): Promise<void> {
  const { code, stderr } = await run(["openssl", ...args.flat()]);
  if (code !== 0) throw new Error(`openssl ${args.flat().join(" ")}: ${stderr}`);
}

/**
 * A self-signed certificate in a file that can be broken; the file is removed when it is disposed.
 */
export async function temporaryCertificate(): Promise<
  AsyncDisposable & { readonly file: string; break(): Promise<void> }
> {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/own.pem`;
  await openssl("req", "-x509", ...CURVE, "-days", "30", "-subj", "/CN=localhost", [
    "-keyout",
    `${folder}/own.key`,
    "-out",
    file,
  ]);
  const key = await Deno.readTextFile(`${folder}/own.key`);
  await Deno.writeTextFile(file, key, { append: true });
  return {
    file,
    break: () => Deno.writeTextFile(file, "broken"),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
