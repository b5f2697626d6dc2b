import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { CertificateAuthority, fingerprintOf, type Identity } from "../../harness/certificates.ts";
import { opensslReverser } from "../../harness/daemons.ts";
import { runTestClient } from "../../harness/client.ts";
import { outlet, run } from "../../harness/program.ts";
import { TestServer } from "../../harness/server.ts";
import { testWith } from "../../harness/tools.ts";

const NEEDS = ["openssl"];

testWith(
  NEEDS,
  "a client connects to openssl's server, and reports the negotiated parameters",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using server = await opensslReverser(await authority.sign());
    const { received, logged, error } = await runTestClient(
      [`tls://localhost:${server.port}`, "--tls-ca", authority.cert, "-v"],
      "hello\n",
    );
    assertEquals(error, "");
    assertEquals(received, "olleh\n");
    assertMatch(logged, /TLSv1\.3 with TLS_\w+ in/);
    assertMatch(logged, /certificate of CN=localhost for DNS:localhost/);
    assertMatch(logged, /signed by CN=test authority, valid from \d{4}-\d\d-\d\d to/);
    assertMatch(logged, /SHA-256 [0-9a-f]{64}/);
  },
);

testWith(
  NEEDS,
  "each reason not to trust a certificate is reported as such",
  async (t) => {
    await using authority = await CertificateAuthority.make();
    await using other = await CertificateAuthority.make();
    const cases: [what: string, identity: Identity, ca: string, reason: RegExp][] = [
      [
        "of another authority",
        await other.sign(),
        authority.cert,
        /signed by CN=test authority, which is not trusted here.*--tls-ca/,
      ],
      [
        "for another name",
        await authority.sign({ extensions: ["subjectAltName=DNS:elsewhere.example"] }),
        authority.cert,
        /is for DNS:elsewhere\.example, not for localhost/,
      ],
      [
        "that has expired",
        await authority.sign({ from: "20200101000000Z", until: "20200201000000Z" }),
        authority.cert,
        /expired on 2020-02-01/,
      ],
      [
        "that is not valid yet",
        await authority.sign({ from: "20480101000000Z", until: "20490101000000Z" }),
        authority.cert,
        /not valid before 2048-01-01/,
      ],
      ["that is self-signed", other, authority.cert, /is for CN=test authority, not for localhost/],
    ];
    for (const [what, identity, ca, reason] of cases) {
      await t.step(`a certificate ${what} is refused`, async () => {
        await using server = await opensslReverser(identity);
        const { received, error } = await runTestClient(
          [`tls://localhost:${server.port}`, "--tls-ca", ca],
          "secret\n",
        );
        assertMatch(error, reason);
        assertEquals(received, "");
      });
    }
  },
);

testWith(
  NEEDS,
  "an IP address is verified against the certificate's addresses, and not sent as a server name",
  async () => {
    await using authority = await CertificateAuthority.make();
    const args = ["--tls-ca", authority.cert, "-v"];
    const right = await authority.sign({
      subject: "/CN=x",
      extensions: ["subjectAltName=IP:127.0.0.1"],
    });
    {
      await using server = await opensslReverser(right, "-tlsextdebug");
      const { received, error } = await runTestClient(
        [`tls://127.0.0.1:${server.port}`, ...args],
        "ab\n",
      );
      assertEquals([received, error], ["ba\n", ""]);
      server.signal("SIGTERM");
      assertEquals((await server.outcome()).stdout.includes("server name"), false);
    }
    for (
      const [extensions, reason] of [
        [["subjectAltName=IP:10.0.0.1"], /is for IP Address:10\.0\.0\.1, not for 127\.0\.0\.1$/],
        [["subjectAltName=DNS:a.test"], /is for DNS:a\.test, not for 127\.0\.0\.1$/],
        [["basicConstraints=CA:FALSE"], /the certificate is for CN=x, not for 127\.0\.0\.1$/],
      ] as const
    ) {
      const wrong = await authority.sign({ subject: "/CN=x", extensions: [...extensions] });
      await using server = await opensslReverser(wrong);
      const { received, error } = await runTestClient([
        `tls://127.0.0.1:${server.port}`,
        ...args,
      ], "ab\n");
      assertMatch(error, reason);
      assertEquals(received, "");
    }
  },
);

testWith(
  NEEDS,
  "a certificate for clients only, or with an expired issuer, is reported as such",
  async () => {
    await using authority = await CertificateAuthority.make();
    const args = ["--tls-ca", authority.cert];
    const forClients = await authority.sign({
      extensions: ["subjectAltName=DNS:localhost", "extendedKeyUsage=clientAuth,emailProtection"],
    });
    {
      await using server = await opensslReverser(forClients);
      const { error } = await runTestClient([`tls://localhost:${server.port}`, ...args]);
      assertMatch(
        error,
        /is not for servers: .* is clientAuth, emailProtection, without serverAuth$/,
      );
    }
    const between = await authority.sign({
      subject: "/CN=between",
      extensions: ["basicConstraints=critical,CA:TRUE", "keyUsage=keyCertSign"],
      from: "20200101000000Z",
      until: "20200201000000Z",
    });
    const leaf = await authority.sign({ signer: between });
    await using server = await opensslReverser(leaf, "-cert_chain", between.cert);
    const { error } = await runTestClient([`tls://localhost:${server.port}`, ...args]);
    assertMatch(error, /signed by CN=between, whose own expired on 2020-02-01$/);
  },
);

testWith(
  NEEDS,
  "a TLS 1.2 server that requires a certificate is distinguished from one without a common cipher",
  async () => {
    await using authority = await CertificateAuthority.make();
    const identity = await authority.sign();
    const args = ["--tls-ca", authority.cert];
    const asking = ["-tls1_2", "-CAfile", authority.cert, "-Verify", "1", "-verify_return_error"];
    {
      await using server = await opensslReverser(identity, ...asking);
      const { error } = await runTestClient([`tls://localhost:${server.port}`, ...args]);
      assertMatch(
        error,
        /no TLS: the peer requires a client certificate: use --tls-cert$/,
      );
      await using unknownIssuer = await CertificateAuthority.make();
      const { cert, key } = await unknownIssuer.sign();
      const own = ["--tls-cert", cert, "--tls-key", key];
      const refused = await runTestClient([`tls://localhost:${server.port}`, ...args, ...own]);
      assertMatch(
        refused.error,
        /does not trust the CA of our certificate|does not accept our client certificate/,
      );
    }
    await using old = await opensslReverser(
      identity,
      "-tls1_2",
      "-cipher",
      "ECDHE-ECDSA-AES128-SHA",
    );
    const { error } = await runTestClient([`tls://localhost:${old.port}`, ...args]);
    assertMatch(error, /no TLS: no cipher suite, group or signature algorithm in common/);
  },
);

testWith(NEEDS, "SSLKEYLOGFILE is reported as ignored, and no file is created", async () => {
  await using authority = await CertificateAuthority.make();
  await using server = await opensslReverser(await authority.sign());
  const file = `${authority.folder}/keys`;
  const args = outlet("client", `tls://localhost:${server.port}`, "--tls-ca", authority.cert);
  const { code, stdout, stderr } = await run(args, {
    stdin: "ab\n",
    env: { SSLKEYLOGFILE: file },
  });
  assertEquals([code, stdout], [0, "ba\n"]);
  assertMatch(stderr, /^outlet: SSLKEYLOGFILE is ignored: .* is not written\n$/);
  await assertRejects(() => Deno.stat(file), Deno.errors.NotFound);
});

testWith(NEEDS, "a pinned certificate is trusted, and no other", async () => {
  await using authority = await CertificateAuthority.make();
  const identity = await authority.sign();
  await using server = await opensslReverser(identity);
  const pin = await fingerprintOf(identity.cert);
  const right = await runTestClient([`tls://127.0.0.1:${server.port}`, "--tls-pin", pin], "ab\n");
  assertEquals([right.received, right.error], ["ba\n", ""]);
  const wrong = await runTestClient([
    `tls://127.0.0.1:${server.port}`,
    "--tls-pin",
    "0".repeat(64),
  ]);
  assertMatch(wrong.error, /not the pinned one: its SHA-256 is [0-9a-f]{64}/);
});

testWith(NEEDS, "--tls-insecure accepts any certificate, and always prints a warning", async () => {
  await using authority = await CertificateAuthority.make();
  await using server = await opensslReverser(await authority.sign());
  const { received, logged } = await runTestClient(
    [`tls://127.0.0.1:${server.port}`, "--tls-insecure"],
    "ab\n",
  );
  assertEquals(received, "ba\n");
  assertMatch(logged, /^warning: --tls-insecure/);
});

testWith(
  NEEDS,
  "a client sends its certificate, and a required one that is missing is reported",
  async () => {
    await using authority = await CertificateAuthority.make();
    const alice = await authority.sign({ subject: "/CN=alice" });
    await using server = await opensslReverser(
      await authority.sign(),
      ...["-CAfile", authority.cert, "-Verify", "1", "-verify_return_error"],
    );
    const args = [`tls://localhost:${server.port}`, "--tls-ca", authority.cert];
    const known = await runTestClient(
      [...args, "--tls-cert", alice.cert, "--tls-key", alice.key],
      "ab\n",
    );
    assertEquals([known.received, known.error], ["ba\n", ""]);
    const unknown = await runTestClient(args, "ab\n");
    assertMatch(unknown.error, /requires a client certificate/);
  },
);

testWith(
  NEEDS,
  "a key of another certificate is refused before it is used",
  async () => {
    await using authority = await CertificateAuthority.make();
    const [one, other] = [await authority.sign(), await authority.sign()];
    const args = ["tls://127.0.0.1:9", "--tls-cert", one.cert, "--tls-key", other.key];
    assertEquals(
      (await runTestClient(args)).error,
      `--tls-key ${other.key} is not the key of --tls-cert ${one.cert}`,
    );
  },
);

Deno.test("a server without TLS is reported as such", async () => {
  await using server = await TestServer.open("echo://:0", "daytime://:0");
  for (const index of [0, 1]) {
    const { error } = await runTestClient([
      `tls://127.0.0.1:${server.port(index)}`,
      "--tls-insecure",
    ]);
    assertMatch(error, /no TLS: the peer does not use TLS/);
  }
});

Deno.test("a server that does not answer the handshake times out", async () => {
  await using server = await TestServer.open("discard://:0");
  const { error } = await runTestClient([
    `tls://127.0.0.1:${server.port()}`,
    "--tls-insecure",
    "-w",
    "200ms",
  ]);
  assertMatch(error, /connected, but no response to the TLS handshake in 200 ms/);
});
