/**
 * The server on a terminal: job control, the operator's commands, and a terminal that is closed.
 * `hostile/terminal_test.ts` has the rest.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { readText, readUntil, send } from "../harness/bytes.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { KEY, outletInShell, Terminal } from "../harness/terminal.ts";
import { testWith } from "../harness/tools.ts";

const NEEDS = ["bash", "python3"];

/** The address of an outlet in the log. */
const LISTENING = (service: string) => new RegExp(`listening ${service} on 127\\.0\\.0\\.1:(\\d+)`);

async function connect(port: string | number): Promise<Deno.TcpConn> {
  return await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
}

/** Fails unless the echo outlet answers. */
async function answers(port: string | undefined): Promise<void> {
  using client = await connect(port!);
  await send(client, "are you there?");
  await client.closeWrite();
  assertEquals(await readText(client), "are you there?");
}

/** Resolves when a process that is no child of the test has ended. */
async function ended(pid: number): Promise<void> {
  while (await Deno.stat(`/proc/${pid}`).then(() => true, () => false)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

testWith(
  NEEDS,
  "a server in the background of a shell is not stopped by the terminal, nor after fg, Ctrl-Z and bg",
  async () => {
    await using terminal = Terminal.shell();
    await terminal.type(`${outletInShell("server", "echo://:0")} &\n`);
    const [, port] = await terminal.shows(LISTENING("echo"));
    await terminal.shows(/ready/);
    await terminal.type("jobs; echo one=$?\n");
    await terminal.shows(/Running[^]*one=0/);
    await answers(port);
    await terminal.type("fg\n");
    // The editor draws its prompt once it has the terminal.
    await terminal.shows(/one=0[^]*fg[^]*\[0J/);
    await terminal.type(`/connections${KEY.enter}`);
    await terminal.shows(/no open connections/);
    await terminal.type(KEY.ctrlZ);
    await terminal.shows(/Stopped/);
    await terminal.type("bg\n");
    await answers(port);
    await terminal.type("jobs; echo two=$?\n");
    await terminal.shows(/bg[^]*Running[^]*two=0/);
    await answers(port);
    await terminal.type("fg\n");
    await terminal.shows(/two=0[^]*fg[^]*\[0J/);
    await answers(port);
    await terminal.type(KEY.ctrlC);
    // Input before the shell's prompt would be read by the server.
    await terminal.shows(/stopped[^]*[#$] $/);
    await terminal.type("echo three=$?\n");
    await terminal.shows(/three=0/);
  },
);

testWith(
  NEEDS,
  "when the terminal is closed, a server with a config continues, and reads the config again",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const config = `${folder.path}/outlet.json`;
    const log = `${folder.path}/log`;
    const content = (level: string) =>
      JSON.stringify({
        outlets: [{ service: "echo", listen: "127.0.0.1:0" }],
        "log-file": log,
        "log-level": level,
      });
    await Deno.writeTextFile(config, content("info"));
    await using terminal = Terminal.shell();
    await terminal.type(`${outletInShell("server", "--config", config)}\n`);
    const port = await logged(log, LISTENING("echo"));
    const pid = await childOf(await terminal.pid());
    terminal.hangUp();
    await logged(log, /reloaded/);
    await answers(port);
    Deno.kill(pid, "SIGTERM");
    await ended(pid);
    assertMatch(await Deno.readTextFile(log), /stopped {3}echo/);
  },
);

testWith(
  NEEDS,
  "when the terminal is closed, a server without a config drains for its full drain timeout",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const log = `${folder.path}/log`;
    await using terminal = Terminal.shell();
    await terminal.type(`${outletInShell("server", "echo://:0", "--log-file", log)}\n`);
    const port = await logged(log, LISTENING("echo"));
    const pid = await childOf(await terminal.pid());
    using client = await connect(port);
    await send(client, "one\n");
    await readUntil(client, /one\n/);
    terminal.hangUp();
    await logged(log, /draining/);
    // Both the shell and the kernel send SIGHUP.
    Deno.kill(pid, "SIGHUP");
    await send(client, "two\n");
    await readUntil(client, /two\n/);
    await client.closeWrite();
    await ended(pid);
    assertMatch(await Deno.readTextFile(log), /closed {4}echo:\d+ #1 .*: peer closed/);
  },
);

/** The first group of a pattern, once it matches the log. */
async function logged(log: string, pattern: RegExp): Promise<string> {
  for (;;) {
    const match = (await Deno.readTextFile(log).catch(() => "")).match(pattern);
    if (match) return match[1] ?? "";
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function childOf(pid: number): Promise<number> {
  return Number(await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`));
}
