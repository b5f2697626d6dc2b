/** A failed handshake sends an alert to the client, and is logged with the true reason. */
import { assertEquals, assertMatch } from "@std/assert";
import { CertificateAuthority } from "../../harness/certificates.ts";
import { bytesOf, readAll, send } from "../../harness/bytes.ts";
import { run } from "../../harness/program.ts";
import { TestServer } from "../../harness/server.ts";
import { testWith } from "../../harness/tools.ts";

const PRINTED_ALERTS: Readonly<Record<number, RegExp>> = {
  40: /alert handshake failure/,
  70: /alert protocol version/,
  120: /alert no application protocol/,
};

testWith(
  ["openssl"],
  "a handshake that openssl cannot complete gets an alert, and the log has what it offered",
  async (t) => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    const cases: [args: string[], alert: keyof typeof PRINTED_ALERTS, reason: RegExp][] = [
      [
        ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
        70,
        /no TLS version in common: the client offers TLS 1\.1 at most, the server supports TLS 1\.2 and 1\.3$/,
      ],
      [
        ["-tls1_2", "-cipher", "AES128-SHA"],
        40,
        /no cipher suite in common: the client offers 0x002f, 0x00ff$/,
      ],
      [
        ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"],
        40,
        /no cipher suite in common: the client's are for RSA keys, the server has an EC key$/,
      ],
      [
        ["-tls1_3", "-groups", "X448"],
        40,
        /no key exchange group in common: the client offers X448, the server supports P-256/,
      ],
      [
        ["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"],
        40,
        /no signature scheme in common: the client takes none that our EC key can make$/,
      ],
      [
        ["-alpn", "h2,no"],
        120,
        /no application protocol in common \(ALPN\): the client offers h2, no, the server supports http\/1\.1$/,
      ],
    ];
    for (const [args, alert, reason] of cases) {
      await t.step(args.join(" "), async () => {
        await using server = await TestServer.open(
          "echo://:0?tls&alpn=http/1.1",
          ...["--tls-cert", cert, "--tls-key", key],
        );
        const connect = ["-connect", `127.0.0.1:${server.port()}`];
        const { stderr } = await run(["openssl", "s_client", ...connect, ...args]);
        assertMatch(stderr, PRINTED_ALERTS[alert]!);
        assertMatch((await server.event("refused")).reason, reason);
      });
    }
  },
);

testWith(
  ["openssl"],
  "a client's alert about our certificate is logged as the reason",
  async () => {
    await using authority = await CertificateAuthority.make();
    await using other = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    await using server = await TestServer.open(
      "echo://:0?tls",
      ...["--tls-cert", cert, "--tls-key", key],
    );
    const connect = ["-connect", `127.0.0.1:${server.port()}`, "-CAfile", other.cert];
    await run(["openssl", "s_client", ...connect, "-verify_return_error"]);
    assertEquals(
      (await server.event("refused")).reason,
      "TLS: the client ended the handshake: it does not know the authority behind our certificate " +
        "(alert UnknownCA)",
    );
  },
);

testWith(
  ["openssl"],
  "a client without TLS gets an alert, and the log has its first bytes",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    const cases: [sent: Uint8Array, reason: string][] = [
      [bytesOf("GET / HTTP/1.0\r\n\r\n"), '"GET / HTTP/1.0"'],
      [bytesOf("\x1b[2Jhello, this is no TLS"), "1b 5b 32 4a 68 65 6c 6c"],
    ];
    for (const [sent, beginning] of cases) {
      await using server = await TestServer.open(
        "echo://:0?tls",
        ...["--tls-cert", cert, "--tls-key", key],
      );
      using client = await server.connect();
      await send(client, sent);
      // An alert (RFC 8446, section 6), fatal: decode_error.
      assertEquals([...await readAll(client)], [0x15, 3, 3, 0, 2, 2, 50]);
      const { reason } = await server.event("refused");
      assertEquals(reason, `TLS: the client does not use TLS: it sent ${beginning}`);
    }
  },
);
