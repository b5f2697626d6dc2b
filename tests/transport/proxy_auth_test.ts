/**
 * Credentials are sent only to a proxy that asks for them, with the strongest scheme that it
 * offers.
 */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseClientArgs } from "../../src/cli/client_args.ts";
import { readChallenges } from "../../src/transport/proxy/challenges.ts";
import { runTestClient } from "../harness/client.ts";
import { freePort } from "../harness/ports.ts";
import { Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/**
 * HTTP proxies with configurable challenges. Each argument lists the challenges of one proxy, each
 * a line of its answers; `close` closes the connection after each answer, and `stale` refuses the
 * nonce of the first answer. It prints the schemes that each was asked with.
 */
const PROXIES = String.raw`
import base64, hashlib, json, re, socket, sys, threading
USERS, PASSWORD = ("joe", "j\u00f6e"), 's3"cr\u00e9t'
def params(text):
    found = re.findall(r'([\w*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', text)
    return {k.lower(): re.sub(r"\\(.)", r"\1", q) or p for k, q, p in found}
def fits(given, uri):
    p = params(given)
    name = p.get("algorithm", "MD5").upper()
    kind = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}[name.replace("-SESS", "")]
    H = lambda s: hashlib.new(kind, s.encode()).hexdigest()
    if p.get("userhash") == "true":
        user = next(u for u in USERS if H(u + ":" + p["realm"]) == p["username"])
    else: user = p.get("username") or {"UTF-8''j%C3%B6e": "j\u00f6e"}[p["username*"]]
    assert user in USERS and p["uri"] == uri, p
    a1 = H(":".join((user, p["realm"], PASSWORD)))
    if name.endswith("-SESS"): a1 = H(":".join((a1, p["nonce"], p["cnonce"])))
    a2 = "CONNECT:" + uri + (":" + H("") if p.get("qop") == "auth-int" else "")
    middle = ":".join((p["nonce"], p["nc"], p["cnonce"], p["qop"])) if "qop" in p else p["nonce"]
    return p["response"] == H(":".join((a1, middle, H(a2))))
def proxy(words, at):
    closes, stale = "close" in words, "stale" in words
    lines = [w for w in words if w not in ("close", "stale")]
    listener = socket.create_server(("127.0.0.1", 0))
    count = [0]
    def serve(c):
        f = c.makefile("rb")
        while True:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = f.read(1)
                if not byte: return c.close()
                head += byte
            text = head.decode("latin-1")
            uri = text.split()[1]
            given = re.search(r"(?im)^proxy-authorization: (.*?)\r$", text)
            given = given and given.group(1)
            count[0] += 1
            good = False
            if given and given.startswith("Basic "):
                good = base64.b64decode(given[6:]).decode() in [u + ":" + PASSWORD for u in USERS]
            elif given: good = fits(given, uri)
            if good and stale and count[0] == 2: good = False
            print("asked", at, given.split()[0] if given else "without", flush=True)
            if good or not lines:
                c.sendall(b"HTTP/1.1 200 Connection established\r\n\r\nthrough\n")
                return c.close()
            again = ", stale=true" if stale and given else ""
            answer = "HTTP/1.1 407 Who are you\r\nContent-Length: 5\r\n"
            answer += "".join("Proxy-Authenticate: " + l + again + "\r\n" for l in lines)
            c.sendall((answer + ("Connection: close\r\n" if closes else "") + "\r\nhello").encode())
            if closes: return c.close()
    def accept():
        while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=accept).start()
    return listener.getsockname()[1]
print("ports", json.dumps([proxy(words, at) for at, words in enumerate(json.loads(sys.argv[1]))]), flush=True)
`;

const PASSWORD = 's3"crét';

/** Proxies with these challenges, and their URLs. */
async function proxiesOf(
  ...challenges: readonly (readonly string[])[]
): Promise<Program & { urls: string[] }> {
  const program = new Program(["python3", "-c", PROXIES, JSON.stringify(challenges)]);
  const [, ports] = await program.prints(/ports (.*)\n/);
  const urls = (JSON.parse(ports!) as number[]).map((port) => `http://127.0.0.1:${port}`);
  return Object.assign(program, { urls });
}

/** All schemes that each proxy was asked with. */
async function askedOf(program: Program): Promise<string[][]> {
  program.signal("SIGTERM");
  const { stdout, stderr } = await program.outcome();
  assertEquals(stderr, "");
  const asked: string[][] = [];
  for (const [, at, how] of stdout.matchAll(/asked (\d+) (\w+)/g)) {
    (asked[Number(at)] ??= []).push(how!);
  }
  return asked;
}

const DIGEST = 'Digest realm="a \\"b\\", c", nonce="n=, o", opaque="x"';

const CASES: readonly [what: string, challenges: string[], asked?: string[]][] = [
  ["Basic", ['Basic realm="a"'], ["without", "Basic"]],
  ["Digest of RFC 2069", [DIGEST]],
  ["Digest with MD5 and qop", [`${DIGEST}, qop="auth"`]],
  ["Digest with MD5-sess", [`${DIGEST}, algorithm=MD5-sess, qop="auth-int,auth"`]],
  ["Digest with auth-int alone", [`${DIGEST}, algorithm=MD5, qop="auth-int"`]],
  ["Digest with SHA-256", [`${DIGEST}, algorithm=SHA-256, qop="auth"`]],
  ["Digest with SHA-256-sess and a hashed name", [
    `${DIGEST}, algorithm=SHA-256-sess, qop=auth, userhash=true`,
  ]],
  ["Digest with SHA-512-256", [`${DIGEST}, algorithm=SHA-512-256, qop="auth"`]],
  ["Digest before Basic, on one line", [
    `Bearer, Basic realm="a", ${DIGEST}, qop="auth", NTLM TlRMTVNTUAAB==`,
  ]],
  ["Digest before Basic, on several lines", ['Basic realm="a"', `${DIGEST}, qop="auth"`]],
  ["a connection that is closed after each answer", ["close", `${DIGEST}, qop="auth"`]],
  ["a nonce that is too old", ["stale", `${DIGEST}, qop="auth"`], ["without", "Digest", "Digest"]],
];

testWith(
  ["python3"],
  "a proxy is asked without credentials first, then with the strongest scheme that it offers",
  async () => {
    for (const user of ["joe", "jöe"]) {
      await using proxies = await proxiesOf(...CASES.map(([, challenges]) => challenges));
      for (const [at, [what]] of CASES.entries()) {
        const login = ["--proxy-auth", `${user}:${PASSWORD}`];
        const { received, error } = await runTestClient([
          "a.test",
          "80",
          "--proxy",
          proxies.urls[at]!,
          ...login,
        ]);
        assertEquals([error, received], ["", "through\n"], what);
      }
      const asked = CASES.map(([, , asked = ["without", "Digest"]]) => asked);
      assertEquals(await askedOf(proxies), asked);
    }
  },
);

testWith(
  ["python3", "curl"],
  "curl authenticates to the same proxies with the same schemes",
  async () => {
    // curl does not choose auth-int, and only newer versions have SHA-512-256.
    const cases = CASES.filter(([what]) => !/auth-int|SHA-512/.test(what));
    await using proxies = await proxiesOf(...cases.map(([, challenges]) => challenges));
    for (const [at, [what]] of cases.entries()) {
      const login = ["--proxy-anyauth", "--proxy-user", `joe:${PASSWORD}`];
      const args = ["-sv", ...login, "-p", "-x", proxies.urls[at]!, "http://a.test:80/"];
      const { stderr } = await run(["curl", ...args]);
      assertMatch(stderr, /200 Connection established/, what);
    }
    const asked = cases.map(([, , asked = ["without", "Digest"]]) => asked);
    assertEquals(await askedOf(proxies), asked);
  },
);

testWith(
  ["python3"],
  "a wrong password is refused, and a password is not sent unless it is asked for",
  async () => {
    await using proxies = await proxiesOf([`${DIGEST}, qop="auth"`], [], ["Negotiate", "Bearer"]);
    const viaProxy = (at: number, ...args: string[]) =>
      runTestClient(["a.test", "80", "--proxy", proxies.urls[at]!, ...args]);
    const login = ["--proxy-auth", `joe:${PASSWORD}`];
    assertMatch(
      (await viaProxy(0, "--proxy-auth", "joe:wrong")).error,
      /authentication failed \(it answered 407 Who are you\)$/,
    );
    assertMatch((await viaProxy(0)).error, /it answered 407 .*authentication required/);
    assertEquals((await viaProxy(1, ...login)).received, "through\n");
    assertEquals((await viaProxy(1, ...login, "--proxy-auth-preemptive")).received, "through\n");
    assertMatch(
      (await viaProxy(2, ...login)).error,
      /none of the offered authentication schemes \(negotiate, bearer\) is supported$/,
    );
    assertEquals(await askedOf(proxies), [
      ["without", "Digest", "without"],
      ["without", "Basic"],
      ["without"],
    ]);
  },
);

testWith(["tinyproxy"], "tinyproxy receives the password that it asks for", async () => {
  await using server = await TestServer.open("daytime://:0");
  const port = freePort();
  const config = await Deno.makeTempFile();
  await Deno.writeTextFile(
    config,
    `Port ${port}\nListen 127.0.0.1\nConnectPort ${server.port()}\nBasicAuth joe s3cret\n`,
  );
  {
    await using _ = new Program(["tinyproxy", "-d", "-c", config]);
    const waits = ["--retry", "forever", "--retry-delay", "50ms"];
    assertEquals((await runTestClient(["-z", "127.0.0.1", String(port), ...waits])).error, "");
    const args = ["127.0.0.1", String(server.port()), "--eof", "wait"];
    const proxy = ["--proxy", `http://127.0.0.1:${port}`];
    const { received } = await runTestClient([...args, ...proxy, "--proxy-auth", "joe:s3cret"]);
    assertMatch(received, /GMT/);
    const { error } = await runTestClient([...args, ...proxy, "--proxy-auth", "joe:wrong"]);
    assertMatch(error, /authentication failed \(it answered 40\d /);
    assertMatch((await runTestClient([...args, ...proxy])).error, /authentication required/);
  }
  await Deno.remove(config);
});

Deno.test("challenges are parsed with any valid separators and unknown schemes", () => {
  const schemes = (value: string) => readChallenges(value).map(({ scheme }) => scheme);
  assertEquals(schemes('Basic realm="a, Digest realm=b", Digest nonce=x ,, qop = "auth"'), [
    "basic",
    "digest",
  ]);
  assertEquals(schemes("Negotiate YIIB+/==, Basic, NTLM"), ["negotiate", "basic", "ntlm"]);
  assertEquals(schemes('realm="nobody", =, Basic'), []);
  const [digest] = readChallenges('Digest REALM="a \\"b\\\\", qop = auth');
  assertEquals([...digest!.parameters], [["realm", 'a "b\\'], ["qop", "auth"]]);
});

Deno.test("invalid options of a proxy's password are refused at the start, without printing it", () => {
  const cases: [string[], RegExp][] = [
    [["--proxy-auth", "a:s3cret"], /^--proxy-auth needs --proxy$/],
    [
      ["--proxy", "http://h:1", "--proxy-auth", ":s3cret"],
      /^--proxy-auth: expected USER:PASSWORD, /,
    ],
    [["--proxy", "http://b:c@h:1", "--proxy-auth", "a:s3cret"], /URL already has credentials/],
    [["--proxy", "http://h:1", "--proxy-auth-preemptive"], /needs --proxy-auth, or a user/],
    [
      ["--proxy", "socks5://a:s3cret@h:1", "--proxy-auth-preemptive"],
      /is only for http:\/\/ proxies$/,
    ],
  ];
  for (const [args, expected] of cases) {
    const { message } = assertThrows(() => parseClientArgs(["h", "1", ...args])) as Error;
    assertMatch(message, expected);
    assertEquals(message.includes("s3cret"), false);
  }
  const unix = ["unix:/run/x.sock", "--proxy", "http://h:1"];
  assertThrows(() => parseClientArgs(unix), Error, "a proxy cannot reach a Unix socket");
});
