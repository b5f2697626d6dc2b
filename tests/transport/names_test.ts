/**
 * Host names looked up by the real system, with name servers that answer, are slow, or do not
 * answer.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { eventually } from "../harness/eventually.ts";
import { NameServerMachine } from "../harness/name_server.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { testInNamespaces } from "../trace/watch.ts";

testInNamespaces(
  "a name server that does not answer is reported as such, not as a firewall",
  async () => {
    await using machine = await NameServerMachine.make();
    await using _ = await machine.serveNames();
    const client = (...args: string[]) => run(machine.on(...outlet("client", ...args)));
    const given = await client("-z", "silent.test", "80", "-w", "1s", "--json");
    assertMatch(given.stderr, /silent\.test:80: the name server does not answer: no address in 1/);
    assertEquals([given.code, JSON.parse(given.stdout).state], [1, "unresolved"]);
    const absent = await client("absent.test", "80");
    assertMatch(absent.stderr, /host name not found: the name servers have no address for it/);
    const proxied = await client(
      "silent.test",
      "80",
      "-w",
      "1s",
      "--proxy",
      "socks5://127.0.0.1:9",
    );
    assertMatch(proxied.stderr, /the name server does not answer|refused/);
  },
);

testInNamespaces("the time of a connect does not include the look-up of the name", async () => {
  await using machine = await NameServerMachine.make();
  await using _ = await machine.serveNames();
  await using server = new Program(machine.on(...outlet("server", "echo://127.0.0.1:7007")));
  await server.logs(/ready/);
  const args = outlet("client", "-z", "slow.test", "7007", "--json");
  // On a busy machine one connect may take longer than a look-up, but not each of several.
  await eventually(async () => {
    const { code, stdout } = await run(machine.on(...args));
    const found = JSON.parse(stdout);
    assertEquals([code, found.lookups], [0, 1]);
    assert(found.lookup_max_ms >= 400, stdout);
    return found.lookup_max_ms > found.max_ms;
  }, "a connect that took less time than its look-up");
  const text = await run(machine.on(...outlet("client", "-z", "slow.test", "7007")));
  assertMatch(text.stdout, /is open \(looked up in .* ms, connected in /);
});

testInNamespaces(
  "addresses are tried in the order of getaddrinfo, with the preferences of gai.conf",
  async () => {
    const hosts = ["127.0.0.2 many.test", "::1 many.test", "127.0.0.3 many.test"];
    for (
      const [preferences, order] of [
        [["precedence ::ffff:0:0/96 100"], ["127.0.0.2", "127.0.0.3", "::1"]],
        [["precedence ::1/128 100"], ["::1", "127.0.0.2", "127.0.0.3"]],
      ] as const
    ) {
      await using machine = await NameServerMachine.make({ hosts, preferences: [...preferences] });
      const { stdout } = await run(machine.on("getent", "ahosts", "many.test"));
      assertEquals([...new Set(stdout.match(/^\S+/gm))], [...order]);
      const { stderr } = await run(machine.on(...outlet("client", "many.test", "9", "-v")));
      assertMatch(stderr, new RegExp(`resolved to ${order.join(", ")} in`));
      const tried = [...stderr.matchAll(/outlet: (?:\[(.*)\]|(\S+)):9: trying/g)];
      assertEquals(tried.map(([, v6, v4]) => v6 ?? v4), [...order]);
    }
  },
);

testInNamespaces(
  "an address that does not answer gets a head start before the next is tried in parallel",
  async () => {
    const addresses = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
    await using machine = await NameServerMachine.make({
      hosts: addresses.map((each) => `${each} a.test`),
    });
    await using servers = new Program(machine.on(
      "python3",
      "-c",
      "import socket,sys\n" +
        "silent = [socket.create_server((f'127.0.0.{n}', 7007), backlog=0) for n in (2, 3)]\n" +
        // With a backlog of 0 the kernel accepts one connection, and drops further SYNs.
        "held = [socket.create_connection(s.getsockname()) for s in silent]\n" +
        "live = socket.create_server(('127.0.0.4', 7007))\n" +
        "print('listening', flush=True)\n" +
        "live.accept()[0].sendall(b'here\\n'); sys.stdin.read()",
    ));
    await servers.prints(/listening/);
    const start = performance.now();
    const args = outlet("client", "a.test", "7007", "-v", "--recv-only");
    await using client = new Program(machine.on(...args));
    await client.prints(/here/);
    // RFC 8305, section 5: twice 250 ms.
    assert(performance.now() - start > 500);
    const connected = await client.logs(/127\.0\.0\.4:7007: connected/);
    const tried = [...connected.input!.matchAll(/outlet: (\S+):7007: trying/g)].map(([, each]) =>
      each
    );
    assertEquals(tried, addresses);
  },
);

for (const workers of ["1", "2"]) {
  testInNamespaces(
    `many names without an answer do not delay others, which have threads of their own (${workers} workers)`,
    async () => {
      await using machine = await NameServerMachine.make();
      await using names = await machine.serveNames();
      const unanswered = Array.from({ length: 40 }, (_, i) => 7100 + i);
      await using server = new Program(machine.on(...outlet(
        "server",
        ...unanswered.map((port) => `forward://127.0.0.1:${port}?to=silent-${port}.test:80`),
        "forward://127.0.0.1:7001?to=quick.test:7002",
        "echo://127.0.0.1:7002",
        ...["--metrics", "127.0.0.1:7006", "--workers", workers],
      )));
      await server.logs(/ready/);
      await using connected = new Program(machine.on(
        "python3",
        "-c",
        "import socket,sys\n" +
          `all = [socket.create_connection(('127.0.0.1', p)) for p in ${
            JSON.stringify(unanswered)
          }]\n` +
          "print('connected', flush=True); sys.stdin.read()",
      ));
      await connected.prints(/connected/);
      for (const port of unanswered) await names.prints(new RegExp(`asked silent-${port}`));
      const args = outlet("client", "127.0.0.1", "7001");
      const { stdout } = await run(machine.on(...args), { stdin: "through\n" });
      assertEquals(stdout, "through\n");
      await eventually(async () => {
        const { stdout } = await run(machine.on("curl", "-s", "http://127.0.0.1:7006/metrics"));
        return /^outlet_name_waiters 40$/m.test(stdout) &&
          /^outlet_name_lookups_running\{state="silent"\} 40$/m.test(stdout);
      }, "metrics of 40 silent names");
    },
  );
}
