/** Keys and certificates that cannot be used are refused before any client connects. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { TlsAcceptor } from "../../../src/transport/tls/acceptor.ts";
import { readServingPair } from "../../../src/transport/tls/serving_pair.ts";
import { run } from "../../harness/program.ts";
import { testWith } from "../../harness/tools.ts";

const KEYS: readonly [name: string, options: readonly string[], fault?: RegExp][] = [
  ["EC P-256", ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]],
  ["EC P-384", ["ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"]],
  ["EC P-521", ["ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"]],
  ["Ed25519", ["ed25519"]],
  ["RSA 2048", ["rsa:2048"]],
  ["secp256k1", ["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"], /it is EC with secp256k1/],
  ["Ed448", ["ed448"], /it is Ed448/],
  ["RSA 1024", ["rsa:1024"], /it is RSA of 1024 bits/],
  ["RSA-PSS", ["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"], /such as RSA-PSS$/],
];

/** Creates a self-signed certificate and its key in a directory. */
async function make(folder: string, options: readonly string[]) {
  const files = { certFile: `${folder}/cert.pem`, keyFile: `${folder}/key.pem` };
  const { code, stderr } = await run([
    ...["openssl", "req", "-x509", "-newkey", ...options, "-nodes", "-subj", "/CN=x"] as const,
    ...["-keyout", files.keyFile, "-out", files.certFile, "-days", "9"],
  ]);
  assertEquals(code, 0, stderr);
  return files;
}

testWith(
  ["openssl"],
  "a key that cannot be used with any client is refused with the name of its file",
  async (t) => {
    for (const [name, options, fault] of KEYS) {
      await t.step(name, async () => {
        const folder = await Deno.makeTempDir();
        const files = await make(folder, options);
        if (fault) {
          const error = await assertRejects(() => readServingPair(files), Error);
          assertMatch(error.message, /^tls-(cert|key) \/.*\.pem/);
          assertMatch(error.message, fault);
        } else {
          await readServingPair(files);
        }
        await Deno.remove(folder, { recursive: true });
      });
    }
  },
);

testWith(
  ["openssl"],
  "openssl's TRUSTED CERTIFICATE is refused, with the command that converts it",
  async () => {
    const folder = await Deno.makeTempDir();
    const { certFile, keyFile } = await make(folder, ["ed25519"]);
    const trusted = `${folder}/trusted.pem`;
    await run(["openssl", "x509", "-in", certFile, "-trustout", "-out", trusted]);
    const error = await assertRejects(() => readServingPair({ certFile: trusted, keyFile }), Error);
    assertMatch(
      error.message,
      /^tls-cert \/.*trusted\.pem contains a TRUSTED CERTIFICATE.*openssl x509/,
    );
    const options = { certFile, keyFile, clientCaFile: trusted, alpn: [], onFault: () => {} };
    const refused = await assertRejects(() => TlsAcceptor.open(options), Error);
    assertMatch(
      refused.message,
      /^tls-client-ca \/.*trusted\.pem: no readable certificate in it/,
    );
    await Deno.remove(folder, { recursive: true });
  },
);
