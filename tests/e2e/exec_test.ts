import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { noise, readText, send } from "../harness/bytes.ts";
import { eventually } from "../harness/eventually.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** Runs a program that must succeed, and returns its stdout. */
async function succeed(
  command: readonly [string, ...string[]],
  options: Parameters<typeof run>[1] = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(command, options);
  assertEquals({ code, stderr: code === 0 ? "" : stderr }, { code: 0, stderr: "" });
  return stdout;
}

testWith(["git"], "exec serves git clone through git daemon --inetd", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const author = ["-c", "user.name=outlet", "-c", "user.email=outlet@localhost"];
    await Deno.mkdir(`${folder}/origin`);
    await succeed(["git", "init", "--quiet", `${folder}/origin`]);
    await Deno.writeFile(`${folder}/origin/noise`, noise(3_000_000));
    await succeed(["git", "-C", `${folder}/origin`, "add", "."]);
    await succeed(["git", "-C", `${folder}/origin`, ...author, "commit", "--quiet", "-m", "noise"]);
    await using server = await TestServer.open(
      ...["exec://:0", "--", "git", "daemon", "--inetd", "--export-all"],
      `--base-path=${folder}`,
    );
    const url = `git://127.0.0.1:${server.port()}/origin`;
    await succeed(["git", "clone", "--quiet", url, `${folder}/clone`]);
    assertEquals(await Deno.readFile(`${folder}/clone/noise`), noise(3_000_000));
    assertEquals((await server.event("closed")).notes, { exit: 0 });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testWith(["rsync"], "exec serves rsync --daemon as inetd does", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/from`);
    await Deno.writeFile(`${folder}/from/noise`, noise(3_000_000));
    await Deno.writeTextFile(
      `${folder}/rsyncd.conf`,
      `use chroot = no\nlog file = ${folder}/log\n[files]\npath = ${folder}/from\nread only = yes\n`,
    );
    await using server = await TestServer.open(
      ...["exec://:0?stdio=socket", "--", "rsync", "--daemon"],
      `--config=${folder}/rsyncd.conf`,
    );
    const url = `rsync://127.0.0.1:${server.port()}/files/`;
    await succeed(["rsync", "-a", url, `${folder}/to`]);
    assertEquals(await Deno.readFile(`${folder}/to/noise`), noise(3_000_000));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

testWith(["bc", "ncat"], "exec serves bc", async () => {
  await using server = await TestServer.open("exec://:0", "--", "bc", "-q");
  const port = String(server.port());
  const answer = await succeed(["ncat", "127.0.0.1", port], { stdin: "2^100\n1/0\n6*7\n" });
  assertEquals(answer, "1267650600228229401496703205376\n42\n");
  assertStringIncludes((await server.event("service-output")).text, "ivide by zero");
});

testWith(["bash", "ncat"], "exec serves bash", async () => {
  await using server = await TestServer.open("exec://:0?stderr=client", "--", "bash");
  const port = String(server.port());
  const script = "echo from $TCPREMOTEIP | tr a-z A-Z\nno_such_command\nexit 5\n";
  const answer = await succeed(["ncat", "127.0.0.1", port], { stdin: script });
  assertMatch(answer, /^FROM 127\.0\.0\.1\n.*no_such_command: command not found\n$/);
  assertEquals((await server.event("closed")).notes, { exit: 5 });
});

testWith(
  ["recordio", "fixcrio", "addcr", "tcpcat", "ncat"],
  "exec serves the programs of ucspi-tcp",
  async () => {
    await using server = await TestServer.open("exec://:0", "--", "recordio", "fixcrio", "addcr");
    const port = String(server.port());
    const answer = await succeed(["ncat", "127.0.0.1", port], { stdin: "one\ntwo\n" });
    assertEquals(answer, "one\r\r\ntwo\r\r\n");
    await server.event("service-output", ({ text }) => text.includes("< one"));
  },
);

testWith(["tcpclient"], "exec serves a client of ucspi-tcp", async () => {
  await using server = await TestServer.open("exec://:0", "--", "echo", "hello");
  const args = ["-HR", "127.0.0.1", String(server.port()), "sh", "-c", "cat <&6"];
  assertEquals(await succeed(["tcpclient", ...args]), "hello\n");
});

Deno.test("1,000 short-lived programs leave no child process and no descriptor behind", async () => {
  await using server = new Program(
    outlet("server", "exec://:0", "--", "sh", "-c", "read line; echo $line"),
  );
  const [, port] = await server.logs(/listening.*:(\d+)/);
  const visit = async (number: number) => {
    using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    await send(client, `${number}\n`);
    assertEquals(await readText(client), `${number}\n`);
  };
  await visit(0);
  await server.logs(/closed +exec:\d+ #1 /);
  const before = await settled(server.pid);
  const loop = async (start: number) => {
    for (let number = start; number <= 1_000; number += 25) await visit(number);
  };
  await Promise.all(Array.from({ length: 25 }, (_, start) => loop(start + 1)));
  await server.logs(/closed +exec:\d+ #1001 /);
  const after = await settled(server.pid);
  assertEquals(after.children, 0);
  assert(after.descriptors <= before.descriptors, JSON.stringify({ before, after }));
});

/** The number of children and descriptors of a process, once it has no children. */
async function settled(pid: number): Promise<{ children: number; descriptors: number }> {
  let children = 1;
  await eventually(async () => {
    children = 0;
    for await (const { name: task } of Deno.readDir(`/proc/${pid}/task`)) {
      const list = await Deno.readTextFile(`/proc/${pid}/task/${task}/children`).catch(() => "");
      children += list.trim() === "" ? 0 : list.trim().split(" ").length;
    }
    return children === 0;
  }, "a server without children");
  return { children, descriptors: [...Deno.readDirSync(`/proc/${pid}/fd`)].length };
}

Deno.test("outlet server kills its programs if a second signal ends it at once", async () => {
  const script = "trap '' TERM; sleep 1000 & echo $$ $!; cat; while :; do sleep 1; done";
  await using server = new Program(outlet("server", "exec://:0", "--", "sh", "-c", script));
  const [, port] = await server.logs(/listening.*:(\d+)/);
  await using client = new Program(outlet("client", "127.0.0.1", port!));
  const [, ...pids] = await client.prints(/(\d+) (\d+)/);
  server.signal("SIGTERM");
  await server.logs(/draining/);
  server.signal("SIGTERM");
  const { code } = await server.outcome();
  assertEquals(code, 128 + 15);
  for (const pid of pids.slice(0, 2)) await processEnd(pid);
});

/** Resolves once the process has ended, or is a zombie. */
async function processEnd(pid: string | undefined): Promise<void> {
  await eventually(async () => {
    const state = await Deno.readTextFile(`/proc/${pid}/stat`).catch(() => "gone");
    return /^gone|\) [ZX] /.test(state);
  }, `the end of process ${pid}`);
}
