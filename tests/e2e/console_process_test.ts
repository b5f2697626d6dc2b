/**
 * The console of `outlet server` as a process: its address, its URL in the output, and its
 * failures.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { CertificateAuthority } from "../harness/certificates.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

/** A command line that runs a shell in a network namespace of its own, where every port is free. */
const IN_NAMESPACE = ["unshare", "--map-root-user", "--net", "sh", "-c"] as const;

/** The command line of outlet, quoted for a shell. */
function quoted(...args: string[]): string {
  return outlet(...args).map((word) => `'${word}'`).join(" ");
}

testWith(
  ["unshare", "ip"],
  "without a SPEC there is a console, and one line has its URL",
  async () => {
    await using server = new Program([
      ...IN_NAMESPACE,
      `ip link set lo up && exec ${quoted("server", "--log-format", "json")}`,
    ]);
    await server.prints(/^console at http:\/\/127\.0\.0\.1:7001\/\?token=[\w-]{43}\n$/);
    await server.logs(/"event":"ready"/);
    server.signal("SIGTERM");
    const { code, stderr } = await server.outcome();
    assertEquals(code, 0);
    // Each line of the log is whole JSON, and none has the token.
    for (const line of stderr.trim().split("\n")) JSON.parse(line);
    assert(!stderr.includes("token"));
  },
);

testWith(
  ["unshare", "ip", "ncat"],
  "if the console's default port is in use, the server runs without a console",
  async () => {
    // A process that ends kills the others, in a PID namespace of their own.
    const [unshare, ...args] = IN_NAMESPACE;
    await using server = new Program([
      unshare,
      ...["--pid", "--fork", "--kill-child"],
      ...args,
      `ip link set lo up && { ncat -lk 127.0.0.1 7001 & } && ` +
      `until ncat -z 127.0.0.1 7001; do :; done; exec ${quoted("server")}`,
    ]);
    await server.prints(
      /^the console is not available: cannot serve the console on 127\.0\.0\.1:7001: .* in use; stop what .*\n$/,
    );
    await server.logs(/listening chat on 127\.0\.0\.1:7000/);
  },
);

testWith(
  ["unshare", "ip"],
  "without a SPEC and with --console off there is no console",
  async () => {
    await using server = new Program([
      ...IN_NAMESPACE,
      `ip link set lo up && exec ${quoted("server", "--console", "off")}`,
    ]);
    await server.logs(/ready/);
    server.signal("SIGTERM");
    assertEquals((await server.outcome()).stdout, "");
  },
);

Deno.test("a requested console that cannot listen ends the program", async () => {
  using occupant = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = occupant.addr;
  const { code, stderr, stdout } = await run(
    outlet("server", "echo://:0", "--console", `:${port}`),
  );
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /^outlet: cannot serve the console on 127\.0\.0\.1:\d+: .* in use; stop what .*\n$/,
  );
});

testWith(["sh"], "the console answers while outlets have used up all descriptors", async () => {
  await using server = new Program([
    "sh",
    "-c",
    `ulimit -n 96; exec ${quoted("server", "echo://:0", "--console", ":0")}`,
  ]);
  const [, url] = (await server.prints(/console at (\S+)\n/))!;
  const [, port] = (await server.logs(/listening echo on 127\.0\.0\.1:(\d+)/))!;
  const { origin, searchParams } = new URL(url!);
  const clients = await Promise.all(
    Array.from({ length: 200 }, () => Deno.connect({ hostname: "127.0.0.1", port: Number(port) })),
  );
  try {
    await server.logs(/refused .* connection limit reached/);
    const answer = await fetch(`${origin}/api/v1/outlets`, {
      headers: { authorization: `Bearer ${searchParams.get("token")}` },
    });
    const [{ open, refused }] = await answer.json();
    assert(open > 10 && refused > 10, `${open} open, ${refused} refused`);
  } finally {
    for (const client of clients) client.close();
  }
});

testWith(["openssl", "curl"], "a console with a certificate uses HTTPS", async () => {
  await using authority = await CertificateAuthority.make();
  const { cert, key } = await authority.sign();
  const tokenFile = `${authority.folder}/token`;
  await using server = new Program(outlet(
    ...["server", "echo://:0", "--console", ":0", "--console-token-file", tokenFile],
    ...["--console-cert", cert, "--console-key", key],
  ));
  const [, origin] = (await server.prints(/^console at (https:\S+)\/ \(token in \S+\)\n$/))!;
  const token = (await Deno.readTextFile(tokenFile)).trim();
  const curl = (...args: string[]) => run(["curl", "-s", "--cacert", authority.cert, ...args]);
  const opened = await curl("-D", "-", "-o", "/dev/null", `${origin}/?token=${token}`);
  assertMatch(opened.stdout, /set-cookie: .*; HttpOnly; SameSite=Strict; Secure/);
  const outlets = await curl("-H", `authorization: Bearer ${token}`, `${origin}/api/v1/outlets`);
  assertEquals(JSON.parse(outlets.stdout).length, 1);
});
