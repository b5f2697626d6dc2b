/** Secrets are read from the terminal, so that they need not be on a command line. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { CertificateAuthority } from "../harness/certificates.ts";
import { runTestClient } from "../harness/client.ts";
import { freePort, isOpen } from "../harness/ports.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { KEY, outletInShell, Terminal } from "../harness/terminal.ts";
import { testWith } from "../harness/tools.ts";

const SECRET = "s3cret word";

/** A key file encrypted by openssl. */
async function encrypted(key: string): Promise<string> {
  const path = `${key}.encrypted`;
  const { code } = await run([
    "openssl",
    ...["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", key, "-out", path],
    ...["-passout", `pass:${SECRET}`],
  ]);
  assertEquals(code, 0);
  return path;
}

testWith(
  ["python3", "microsocks"],
  "the password of a proxy's user is asked for if it is missing, and not echoed",
  async () => {
    await using server = await TestServer.open("daytime://:0");
    const port = freePort();
    await using _proxy = new Program([
      "microsocks",
      ...["-i", "127.0.0.1", "-p", String(port), "-u", "joe", "-P", SECRET],
    ]);
    await isOpen(port);
    const args = ["client", "127.0.0.1", String(server.port()), "--eof", "wait"];
    for (
      const how of [
        ["--proxy", `socks5://joe@127.0.0.1:${port}`],
        ["--proxy", `socks5://127.0.0.1:${port}`, "--proxy-auth", "joe"],
      ]
    ) {
      await using terminal = new Terminal(outlet(...args, ...how));
      await terminal.shows(/password for the socks5 proxy 127\.0\.0\.1:\d+:/);
      await terminal.type(SECRET + KEY.enter);
      const [shown] = await terminal.shows(/password[^]*GMT/);
      assertMatch(shown, /\*{11}/);
      assert(!shown.includes(SECRET));
    }
  },
);

for (const args of [[], ["--workers", "2"]]) {
  testWith(
    ["python3", "openssl"],
    `a server asks for its key's passphrase until it is right (${args.join(" ") || "one thread"})`,
    async () => {
      await using authority = await CertificateAuthority.make();
      const { cert, key } = await authority.sign();
      const spec = `echo://127.0.0.1:0?tls&tls-cert=${cert}&tls-key=${await encrypted(key)}`;
      await using terminal = new Terminal(outlet("server", spec, ...args));
      await terminal.shows(/passphrase of \S+encrypted:/);
      await terminal.type("wrong" + KEY.enter);
      await terminal.shows(/this passphrase does not decrypt it[^]*passphrase of/);
      await terminal.type(SECRET + KEY.enter);
      const [, port] = await terminal.shows(/listening echo on 127\.0\.0\.1:(\d+)/);
      const { received, error } = await runTestClient(
        [`tls://localhost:${port}`, "--tls-ca", authority.cert],
        "hello\n",
      );
      assertEquals([received, error], ["hello\n", ""]);
      await terminal.type(KEY.ctrlC);
      assertEquals(await terminal.code(), 0);
    },
  );
}

testWith(
  ["python3", "bash"],
  "Ctrl-C instead of a secret ends the program, and restores the terminal's settings",
  async () => {
    await using terminal = Terminal.shell();
    await terminal.type(
      outletInShell("client", "127.0.0.1", "9", "--proxy", "http://joe@127.0.0.1:9") + "\n",
    );
    await terminal.shows(/password for the http proxy 127\.0\.0\.1:9: /);
    await terminal.type(KEY.ctrlC);
    // Input before the shell's prompt would be read by the client.
    await terminal.shows(/password for the http proxy 127\.0\.0\.1:9: [^]*bash/);
    await terminal.type("echo code=$?; stty -a\n");
    await terminal.shows(/code=130[^]* icanon [^]* echo /);
  },
);

testWith(
  ["openssl"],
  "without a terminal, a missing secret is an error that names the option",
  async () => {
    await using authority = await CertificateAuthority.make();
    const { cert, key } = await authority.sign();
    const tls = ["--tls", "--tls-cert", cert, "--tls-key", await encrypted(key)];
    for (
      const [args, reason] of [
        [["client", "127.0.0.1", "9", "--proxy", "socks5://joe@127.0.0.1:9"], /needs a password/],
        [["client", "127.0.0.1", "9", ...tls], /--tls-key \S+: it is encrypted/],
        [["server", "echo://:0", ...tls], /tls-key \S+: it is encrypted/],
      ] as const
    ) {
      const { code, stdout, stderr } = await run(outlet(...args), { stdin: "guess\n" });
      assertEquals([code, stdout], [2, ""]);
      assertMatch(stderr, reason);
      assertMatch(stderr, /asked for at/);
      assertEquals(stderr.split("\n").length, 2);
    }
  },
);
