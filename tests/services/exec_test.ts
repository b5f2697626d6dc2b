import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { delay } from "@std/async/delay";
import { noise, readAll, readText, readUntil, send, sha256 } from "../harness/bytes.ts";
import { settled } from "../harness/eventually.ts";
import { LINES_PER_SECOND } from "../../src/services/exec/stderr_log.ts";
import { from, TestServer } from "../harness/server.ts";

/** Opens an exec outlet that runs a shell script, with further arguments. */
function shell(script: string, ...args: string[]): Promise<TestServer> {
  return TestServer.open("exec://:0", ...args, "--", "sh", "-c", script);
}

/** Everything that a client of the outlet reads if it sends nothing. */
async function answerOf(server: TestServer): Promise<string> {
  using client = await server.connect();
  await client.closeWrite();
  return await readText(client);
}

/** Resolves when no process has this PID. */
async function processEnd(pid: number): Promise<void> {
  for (;;) {
    try {
      const [, state] = /\) (\w)/.exec(await Deno.readTextFile(`/proc/${pid}/stat`)) ?? [];
      if (state === "Z") return;
    } catch {
      return;
    }
    await delay(10);
  }
}

for (const stdio of ["pipes", "socket"]) {
  Deno.test(`exec joins a program's stdin and stdout to the client through ${stdio}`, async () => {
    await using server = await TestServer.open(`exec://:0?stdio=${stdio}`, "--", "cat");
    using client = await server.connect();
    const bytes = noise(3_000_000);
    const [answer] = await Promise.all([
      readAll(client),
      send(client, bytes).then(() => client.closeWrite()),
    ]);
    assertEquals(await sha256(answer), await sha256(bytes));
    assertEquals((await server.event("closed")).notes, { exit: 0 });
  });

  Deno.test(`exec sends what is written after the client's end through ${stdio}`, async () => {
    await using server = await shell(
      "cat > /dev/null; head -c 4000000 /dev/zero; echo done; exit 4",
      ...["--stdio", stdio],
    );
    using client = await server.connect();
    await send(client, "some input");
    await client.closeWrite();
    const answer = await readAll(client);
    assertEquals(answer.length, 4_000_005);
    assertStringIncludes(new TextDecoder().decode(answer.subarray(-5)), "done");
    assertEquals((await server.event("closed")).notes, { exit: 4 });
  });

  Deno.test(`exec ends a program that prints forever when its client disconnects, through ${stdio}`, async () => {
    await using server = await TestServer.open(`exec://:0?stdio=${stdio}`, "--", "yes");
    const client = await server.connect();
    await readUntil(client, /y\ny\n/);
    client.close();
    const { notes } = await server.event("closed");
    assertMatch(String(notes?.exit), /^(SIGTERM|SIGPIPE|1)$/);
  });

  Deno.test(`exec holds back a client whose program does not read, through ${stdio}`, async () => {
    await using server = await shell("echo $$; exec sleep 1000", "--stdio", stdio);
    const client = await server.connect();
    const pid = parseInt(await readUntil(client, /\n/));
    const sending = send(client, new Uint8Array(100_000_000)).catch(() => {});
    const [live] = [...server.server.connections()];
    const bytesIn = await settled(() => live!.connection.bytesIn);
    assert(bytesIn < 2_000_000, `${bytesIn} bytes were taken in`);
    Deno.kill(pid, "SIGKILL");
    await readAll(client);
    client.close();
    assertEquals((await server.event("closed")).notes, { exit: "SIGKILL" });
    await sending;
  });
}

for (const stdio of ["pipes", "socket"]) {
  Deno.test(`exec resets a client whose program reads nothing for the write timeout, through ${stdio}`, async () => {
    const options = `stdio=${stdio}&write-timeout=200ms`;
    await using server = await TestServer.open(`exec://:0?${options}`, "--", "sleep", "1000");
    using client = await server.connect();
    await assertRejects(() => send(client, new Uint8Array(100_000_000)));
    const { reason, notes } = await server.event("closed");
    assertEquals({ reason, notes }, {
      reason: "program write timeout",
      notes: { exit: "SIGTERM" },
    });
  });
}

Deno.test("exec runs the program given by ?run", async () => {
  await using server = await TestServer.open("exec://:0?run=pwd&cwd=/usr");
  assertEquals(await answerOf(server), "/usr\n");
});

Deno.test("exec starts a program for each client", async () => {
  await using server = await shell("echo $$; cat");
  using one = await server.connect();
  using other = await server.connect();
  assert(await readUntil(one, /\n/) !== await readUntil(other, /\n/));
});

Deno.test("exec passes arguments unchanged, without a shell", async () => {
  await using server = await TestServer.open(
    "exec://:0",
    "--",
    "printf",
    "%s|",
    "a b",
    "$HOME",
    "x,y",
  );
  assertEquals(await answerOf(server), "a b|$HOME|x,y|");
});

Deno.test("exec closes the connection when the program has exited, even if the client has not", async () => {
  await using server = await shell("echo bye; exit 3");
  using client = await server.connect();
  assertEquals(await readText(client), "bye\n");
  await client.closeWrite();
  const { notes, reason } = await server.event("closed");
  assertEquals({ notes, reason }, { notes: { exit: 3 }, reason: "server closed" });
});

Deno.test("exec reports the signal that ended a program", async () => {
  await using server = await shell("kill -9 $$");
  await answerOf(server);
  assertEquals((await server.event("closed")).notes, { exit: "SIGKILL" });
});

Deno.test("exec sets the variables of tcpserver, xinetd, systemd and ncat, and few others", async () => {
  await using server = await TestServer.open("exec://:0", "--", "env");
  using client = await server.connect();
  const { hostname, port } = client.localAddr as Deno.NetAddr;
  const lines = (await readText(client)).trim().split("\n");
  const variables = Object.fromEntries(lines.map((line) => line.split("=", 2)));
  const local = String(server.port());
  assertEquals(variables, {
    PATH: Deno.env.get("PATH"),
    PROTO: "TCP",
    TCPLOCALIP: "127.0.0.1",
    TCPLOCALPORT: local,
    TCPREMOTEIP: hostname,
    TCPREMOTEPORT: String(port),
    TCPCONNNUM: "1",
    REMOTE_HOST: hostname,
    REMOTE_ADDR: hostname,
    REMOTE_PORT: String(port),
    NCAT_PROTO: "TCP",
    NCAT_LOCAL_ADDR: "127.0.0.1",
    NCAT_LOCAL_PORT: local,
    NCAT_REMOTE_ADDR: hostname,
    NCAT_REMOTE_PORT: String(port),
  });
});

Deno.test("exec counts the connections of each client address for TCPCONNNUM", async () => {
  await using server = await shell("echo $TCPCONNNUM; cat");
  using first = await server.connect();
  assertEquals(await readUntil(first, /\n/), "1\n");
  using second = await server.connect();
  assertEquals(await readUntil(second, /\n/), "2\n");
  await Promise.all([first.closeWrite(), second.closeWrite()]);
  await server.event("closed", ({ connection }) => connection % 2 === 0);
  await server.event("closed", ({ connection }) => connection % 2 === 1);
  using third = await server.connect();
  assertEquals(await readUntil(third, /\n/), "1\n");
});

Deno.test("exec passes further variables with ?env", async () => {
  Deno.env.set("OUTLET_TEST_PASSED", "from outside");
  await using server = await TestServer.open(
    ...["exec://:0", "--env", "OUTLET_TEST_PASSED", "--env", "LIST=a,b=c", "--env", "PATH=/bin"],
    ...["--env", "OUTLET_TEST_MISSING", "--", "/usr/bin/env"],
  );
  const answer = await answerOf(server);
  assertMatch(answer, /^OUTLET_TEST_PASSED=from outside$/m);
  assertMatch(answer, /^LIST=a,b=c$/m);
  assertMatch(answer, /^PATH=\/bin$/m);
  assert(!answer.includes("OUTLET_TEST_MISSING"));
});

Deno.test("exec logs the program's stderr by lines, with the connection's number", async () => {
  await using server = await shell("echo one >&2; printf two >&2; echo out");
  assertEquals(await answerOf(server), "out\n");
  const { connection } = await server.event("closed");
  const outputs = server.events.filter((event) => event.event === "service-output");
  assertEquals(outputs.map(({ connection, text }) => ({ connection, text })), [
    { connection, text: "one" },
    { connection, text: "two" },
  ]);
});

Deno.test("exec sends the program's stderr to the client with ?stderr=client", async () => {
  await using server = await shell("echo one >&2; echo two", "--stderr", "client");
  assertEquals((await answerOf(server)).split("\n").sort(), ["", "one", "two"]);
  assertEquals(server.events.filter((event) => event.event === "service-output"), []);
});

Deno.test("exec bounds an endless line on a program's stderr", async () => {
  await using server = await shell("head -c 3000000 /dev/zero >&2; echo done");
  assertEquals(await answerOf(server), "done\n");
  const { text } = await server.event("service-output");
  assertEquals(new TextEncoder().encode(text).length, 4096 + 3);
});

for (
  const [what, args, reason] of [
    [
      "is missing",
      ["--", "no-such-program"],
      /error: cannot run "no-such-program": no such program/,
    ],
    [
      "is not executable",
      ["--", "/etc/passwd"],
      /error: cannot run "\/etc\/passwd": .*no permission/,
    ],
    ["is a directory", ["--", "/tmp"], /error: cannot run "\/tmp": no such program/],
    [
      "has no working directory",
      ["--cwd", "/nowhere", "--", "true"],
      /cannot run "true": no such working directory: "\/nowhere"/,
    ],
  ] as const
) {
  Deno.test(`exec resets the client and continues when the program ${what}`, async () => {
    await using server = await TestServer.open("exec://:0", ...args);
    await assertRejects(() => answerOf(server), Deno.errors.ConnectionReset);
    assertMatch((await server.event("closed")).reason, reason);
    await assertRejects(() => answerOf(server), Deno.errors.ConnectionReset);
  });
}

Deno.test("exec ends a program's descendants when the client disconnects", async () => {
  await using server = await shell("sleep 1000 & echo $!; while :; do echo; done");
  const client = await server.connect();
  const grandchild = parseInt(await readUntil(client, /\d+\n\n/));
  client.close();
  await server.event("closed");
  await processEnd(grandchild);
});

Deno.test("exec ends descendants when the program has exited", async () => {
  await using server = await shell("sleep 1000 & echo $!");
  const grandchild = parseInt(await answerOf(server));
  await server.event("closed");
  await processEnd(grandchild);
});

Deno.test("exec ends descendants that keep writing after the program has exited", async () => {
  await using server = await shell("yes & echo $!; exit 7");
  using client = await server.connect();
  await readAll(client);
  await client.closeWrite();
  assertEquals((await server.event("closed")).notes, { exit: 7 });
});

Deno.test("exec kills a program that ignores SIGTERM", async () => {
  await using server = await shell(
    "trap '' TERM PIPE; sleep 1000 & echo $!; while :; do echo; done",
    ...["--kill-after", "200ms"],
  );
  const client = await server.connect();
  const grandchild = parseInt(await readUntil(client, /\d+\n\n/));
  client.close();
  assertEquals((await server.event("closed")).notes, { exit: "SIGKILL" });
  await processEnd(grandchild);
});

Deno.test("exec continues a stopped program so that it handles SIGTERM", async () => {
  await using server = await shell("echo ready; kill -STOP $$; sleep 1000");
  using client = await server.connect();
  await readUntil(client, /ready/);
  await server.server.stop({ grace: 0 });
  assertEquals((await server.event("closed")).notes, { exit: "SIGTERM" });
});

Deno.test("exec closes the connection even if a daemon outside of the group holds the pipe", async () => {
  await using server = await shell("setsid sleep 1000 & echo $!; sleep 0.1");
  const daemon = parseInt(await answerOf(server));
  await server.event("closed");
  Deno.kill(daemon, "SIGKILL");
});

Deno.test({
  name: "exec ends the connection though a daemon that fled the group does not read on",
  // The pipe is closed when the daemon is killed, a moment later and without an event.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await using server = await shell(
      "exec 3<&0; setsid sleep 1000 <&3 >/dev/null 2>&1 & echo $!; sleep 0.1; exit 6",
    );
    const client = await server.connect();
    const daemon = parseInt(await readUntil(client, /\n/));
    const sending = send(client, new Uint8Array(30_000_000)).catch(() => {});
    await readAll(client).catch(() => {});
    client.close();
    assertEquals((await server.event("closed")).notes, { exit: 6 });
    Deno.kill(daemon, "SIGKILL");
    await sending;
  },
});

Deno.test("exec lets programs continue while it drains, and ends them at the drain timeout", async () => {
  await using server = await shell("echo $$; cat");
  using one = await server.connect();
  using other = await server.connect();
  const [first, second] = [await readUntil(one, /\n/), await readUntil(other, /\n/)].map(Number);
  const stopped = server.server.stop({ grace: 500 });
  await send(one, "still here\n");
  assertEquals(await readUntil(one, /\n/), "still here\n");
  await one.closeWrite();
  assertEquals(await stopped, 1);
  await Promise.all([processEnd(first!), processEnd(second!)]);
});

Deno.test("exec discards the rest of a client's data when the program has closed its stdin", async () => {
  await using server = await shell("exec 0<&-; echo closed; sleep 0.2; echo done");
  using client = await server.connect();
  await readUntil(client, /closed/);
  await send(client, noise(1_000_000));
  await client.closeWrite();
  assertMatch(await readText(client), /done/);
});

for (const stdio of ["pipes", "socket"]) {
  Deno.test(`exec sends all output of a program that exited without reading, through ${stdio}`, async () => {
    await using server = await shell(
      "head -c 300000 /dev/zero; printf bye; exit 4",
      "--stdio",
      stdio,
    );
    for (let tries = 0; tries < 8; tries++) {
      using client = await server.connect();
      const sending = send(client, noise(1_000_000)).then(() => client.closeWrite()).catch(
        () => {},
      );
      const answer = await readAll(client);
      assertEquals(answer.length, 300_003);
      assertEquals(new TextDecoder().decode(answer.subarray(-3)), "bye");
      await sending;
      assertEquals((await server.event("closed", from(client))).notes, { exit: 4 });
    }
  });
}

/** Creates an executable file, and opens an outlet that runs it. */
async function withFile(
  content: Uint8Array | string,
  test: (server: TestServer, file: string) => Promise<void>,
  ...args: string[]
): Promise<void> {
  const file = await Deno.makeTempFile();
  try {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(file, bytes);
    await Deno.chmod(file, 0o755);
    await using server = await TestServer.open("exec://:0", ...args, "--", file, "argument");
    await test(server, file);
  } finally {
    await Deno.remove(file);
  }
}

/** A program of this machine for an unknown processor: one byte of its header is changed. */
async function foreignProgram(): Promise<Uint8Array> {
  const program = await Deno.readFile("/bin/true");
  program[18] = 0xfe;
  return program;
}

for (
  const [what, content, why] of [
    [
      "a missing interpreter",
      "#!/nowhere/at all\necho hi\n",
      /its interpreter \/nowhere\/at does not exist/,
    ],
    ["a damaged ELF header", "\x7fELF\x02\x01 and nothing more", /the file is truncated/],
    [
      "an ELF header of another machine",
      await foreignProgram(),
      /it is for another architecture/,
    ],
  ] as const
) {
  for (const args of [[], ["--stdio", "socket"], ["--stderr", "client"]]) {
    const how = args.join(" ") || "pipes";
    Deno.test(`exec says why a program with ${what} could not be started, with ${how}`, () =>
      withFile(content, async (server, file) => {
        using client = await server.connect();
        await assertRejects(async () => {
          while (await readText(client) !== "");
        }, Deno.errors.ConnectionReset) /* the shell's output may precede it */;
        const { reason, notes } = await server.event("closed");
        assertStringIncludes(reason, `error: cannot run "${file}": `);
        assertMatch(reason, why);
        assertEquals(notes, undefined, "there is no exit code of a program that never ran");
      }, ...args));
  }
}

Deno.test("exec accepts any exit code of a program as its own, even 127", () =>
  withFile("#!/bin/sh\nexit 127\n", async (server) => {
    await answerOf(server);
    const { reason, notes } = await server.event("closed");
    assertEquals({ reason, notes }, { reason: "peer closed", notes: { exit: 127 } });
  }));

Deno.test("a flood on stderr is counted above a rate, and another outlet still answers", async () => {
  await using server = await TestServer.open(
    ...["exec://:0", "echo://:0", "--", "sh", "-c"],
    "yes '' | head -c 1000000 >&2; echo done",
  );
  using flooding = await server.connect(0);
  using other = await server.connect(1);
  for (let i = 0; i < 100; i++) {
    await send(other, "x");
    await readUntil(other, /x/);
  }
  assertEquals(server.events.filter(({ event }) => event === "closed"), [], "the flood goes on");
  assertEquals(await readText(flooding), "done\n");
  const seconds = (await server.event("closed", from(flooding))).duration / 1_000;
  const outputs = server.events.filter((event) => event.event === "service-output")
    .map(({ text }) => text);
  const counted = outputs.map((text) => Number(/^\((\d+) lines? dropped\)$/.exec(text)?.[1] ?? 0));
  assertEquals(
    counted.reduce((sum, count) => sum + count, 0) + outputs.filter((text) => text === "").length,
    1_000_000,
  );
  assert(
    outputs.length <= (seconds + 2) * (LINES_PER_SECOND + 1),
    `${outputs.length} in ${seconds} s`,
  );
});
