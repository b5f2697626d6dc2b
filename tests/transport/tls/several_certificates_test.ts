/** Several certificates of one outlet, chosen by SNI, and keys with passphrases in a file. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { preflight } from "../../../src/server/preflight.ts";
import { CertificateAuthority, type Identity } from "../../harness/certificates.ts";
import { runTestClient } from "../../harness/client.ts";
import { opensslReverser } from "../../harness/daemons.ts";
import { run } from "../../harness/program.ts";
import { configOf, TestServer } from "../../harness/server.ts";
import { testWith } from "../../harness/tools.ts";

/** A certificate for these names and its key, in one file. */
async function together(authority: CertificateAuthority, ...names: string[]): Promise<string> {
  const alternatives = names.map((name) => `DNS:${name}`).join();
  const { cert, key } = await authority.sign({
    subject: `/CN=${names[0]!.replace("*", "any")}`,
    extensions: [`subjectAltName=${alternatives}`],
  });
  await Deno.writeTextFile(cert, await Deno.readTextFile(key), { append: true });
  return cert;
}

/** The subject that openssl's client is shown when it asks for a name. */
async function subjectFor(server: TestServer, name?: string): Promise<string | undefined> {
  const { stdout } = await run([
    ...["openssl", "s_client", "-connect", `127.0.0.1:${server.port()}`] as const,
    ...name === undefined ? ["-noservername"] : ["-servername", name],
  ]);
  return /^subject=CN ?= ?(.*)$/m.exec(stdout)?.[1];
}

testWith(["openssl"], "the certificate is that of the name that the client asks for", async () => {
  await using authority = await CertificateAuthority.make();
  const first = await together(authority, "one.test");
  const second = await together(authority, "two.test", "2.test");
  const third = await together(authority, "*.three.test");
  await using server = await TestServer.open(
    `echo://:0?tls&tls-cert=${first}&tls-sni-cert=${second},${third}`,
  );
  const cases: readonly (readonly [string | undefined, string])[] = [
    ["one.test", "one.test"],
    ["TWO.test", "two.test"],
    ["2.test", "two.test"],
    ["a.three.test", "any.three.test"],
    ["a.b.three.test", "one.test"],
    ["elsewhere.test", "one.test"],
    [undefined, "one.test"],
  ];
  for (const [asked, subject] of cases) {
    assertEquals(await subjectFor(server, asked), subject, asked);
  }
  await server.event("opened", ({ notes }) => notes?.sni === "2.test");
});

testWith(["openssl"], "a client certificate is required whichever name is asked for", async () => {
  await using authority = await CertificateAuthority.make();
  const first = await together(authority, "one.test");
  const second = await together(authority, "two.test");
  const mine = await authority.sign({ subject: "/CN=alice" });
  await using server = await TestServer.open(
    `echo://:0?tls&tls-cert=${first}&tls-sni-cert=${second}&tls-client-ca=${authority.cert}`,
  );
  const words = [
    ...[`tls://127.0.0.1:${server.port()}`, "--tls-ca", authority.cert],
    ...["--tls-server-name", "two.test"],
  ];
  const known = await runTestClient(
    [...words, "--tls-cert", mine.cert, "--tls-key", mine.key],
    "hi\n",
  );
  assertEquals([known.received, known.error], ["hi\n", ""]);
  const { notes = {} } = await server.event("opened");
  assertEquals([notes["tls-verified"], notes["tls-subject"]], ["by tls-client-ca", "CN=alice"]);
  await runTestClient(words, "hi\n");
  assertMatch((await server.event("refused")).reason, /the client sent no certificate/);
});

testWith(
  ["openssl"],
  "a certificate that would never be used is refused, and so is none",
  async () => {
    await using authority = await CertificateAuthority.make();
    const first = await together(authority, "one.test");
    const same = await together(authority, "one.test");
    const refused = async (query: string, reason: RegExp) => {
      const error = await assertRejects(
        async () => await preflight(configOf([`echo://:0?tls&${query}`])),
        Error,
      );
      assertMatch(error.message, reason);
    };
    await refused(`tls-cert=${first}&tls-sni-cert=${same}`, /tls-sni-cert .* would never be used/);
    await refused(`tls-cert=${first}&tls-sni-cert=/none`, /tls-sni-cert \/none: no such file/);
    await refused(
      `tls-cert=${first}&tls-sni-cert=${authority.cert}`,
      /no readable private key in it/,
    );
    await refused(`tls-self-signed&tls-sni-cert=${same}`, /tls-sni-cert needs tls-cert/);
  },
);

/** The same key, encrypted with a passphrase. */
async function locked({ key }: Identity, passphrase: string): Promise<string> {
  const file = `${key}.locked`;
  const words = ["-in", key, "-aes256", "-passout", `pass:${passphrase}`, "-out", file];
  await run(["openssl", "pkey", ...words]);
  return file;
}

testWith(["openssl"], "the passphrase of a key is read from a file, on both sides", async () => {
  await using authority = await CertificateAuthority.make();
  const identity = await authority.sign();
  const key = await locked(identity, "open sesame");
  const passwords = `${authority.folder}/passwords`;
  await Deno.writeTextFile(passwords, "not this one\nopen sesame\n");
  await using server = await TestServer.open(
    `echo://:0?tls&tls-cert=${identity.cert}&tls-key=${key}&tls-key-password-file=${passwords}`,
  );
  const target = [`tls://localhost:${server.port()}`, "--tls-ca", authority.cert];
  const mine = ["--tls-cert", identity.cert, "--tls-key", key];
  const { received, error } = await runTestClient(
    [...target, ...mine, "--tls-key-password-file", passwords],
    "hi\n",
  );
  assertEquals([received, error], ["hi\n", ""]);
  await Deno.writeTextFile(passwords, "wrong\n");
  const wrong = await runTestClient([...target, ...mine, "--tls-key-password-file", passwords]);
  assertMatch(wrong.error, /password-file .*: no line of it decrypts --tls-key .*\.locked$/);
  assertEquals(wrong.error.includes("wrong"), false);
  const none = await runTestClient([...target, ...mine]);
  assertMatch(none.error, /it is encrypted, .*--tls-key-password-file FILE has it$/);
});

testWith(["openssl"], "an upstream is shown a certificate whose key has a passphrase", async () => {
  await using authority = await CertificateAuthority.make();
  const identity = await authority.sign();
  const key = await locked(identity, "open sesame");
  const passwords = `${authority.folder}/passwords`;
  await Deno.writeTextFile(passwords, "open sesame");
  const asking = ["-Verify", "1", "-verify_return_error", "-CAfile", authority.cert];
  await using upstream = await opensslReverser(identity, ...asking);
  await using server = await TestServer.open(
    `forward://:0?to=tls://localhost:${upstream.port}&to-tls-ca=${authority.cert}` +
      `&to-tls-cert=${identity.cert}&to-tls-key=${key}&to-tls-key-password-file=${passwords}`,
  );
  const { received } = await runTestClient([`127.0.0.1:${server.port()}`], "abc\n");
  assertEquals(received, "cba\n");
});
