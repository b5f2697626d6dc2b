/**
 * A log file that is rotated, moved, full or stuck: lost lines are counted, and no line is partial.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { EventBus } from "../../src/events/event_bus.ts";
import { Log } from "../../src/telemetry/log.ts";
import { LogFileSink } from "../../src/telemetry/log_file.ts";
import { eventually } from "../harness/eventually.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { run } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

const encoder = new TextEncoder();

/** A log in a file, with its notices. */
function openLog(path: string, { maxSize = 1_000_000, maxFiles = 3 } = {}) {
  const eventBus = new EventBus();
  const notices: string[] = [];
  const log = new Log(eventBus, {
    level: "info",
    format: "json",
    colour: false,
    write: (line) => notices.push(line),
    file: { path, maxSize, maxFiles },
  });
  const say = (text: string) => eventBus.publish({ event: "library-output", text, suppressed: 0 });
  return { log, say, notices };
}

/** The texts of a log's lines. */
async function textsIn(path: string): Promise<string[]> {
  const text = await Deno.readTextFile(path);
  return text.trimEnd().split("\n").map((line) => JSON.parse(line).text);
}

/** Resolves once a file contains this text. */
async function shows(path: string, text: string): Promise<void> {
  await eventually(
    async () => (await Deno.readTextFile(path).catch(() => "")).includes(`"${text}"`),
    `the line ${text}`,
  );
}

Deno.test("a line that is written while the file is being opened is not lost", async () => {
  await using folder = await TemporaryDirectory.make();
  for (let i = 0; i < 300; i++) {
    const path = `${folder.path}/log-${i}`;
    using sink = new LogFileSink({ path, maxSize: 1_000, maxFiles: 2 });
    const opening = sink.open();
    for (let turn = 0; turn < i % 4; turn++) await Deno.stat(folder.path);
    await sink.write(encoder.encode("one\n"));
    await opening;
    assertEquals(await Deno.readTextFile(path), "one\n");
  }
});

Deno.test("a log file that was moved or removed is opened again", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/log`;
  const { log, say, notices } = openLog(path);
  await using _ = log;
  say("one");
  await shows(path, "one");
  await Deno.rename(path, `${path}.moved`);
  say("two");
  await shows(path, "two");
  await Deno.remove(path);
  say("three");
  await shows(path, "three");
  assertEquals(await textsIn(`${path}.moved`), ["one"]);
  assertEquals(notices, []);
});

Deno.test("a log file is rotated by size, the oldest is removed, and each has whole lines", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/log`;
  {
    const { log, say } = openLog(path, { maxSize: 400 });
    await using _ = log;
    for (let i = 0; i < 20; i++) say(`line ${i}`);
  }
  const names = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name);
  assertEquals(names.toSorted(), ["log", "log.1", "log.2"]);
  const texts =
    (await Promise.all(["log.2", "log.1", "log"].map((name) => textsIn(`${folder.path}/${name}`))))
      .flat();
  assertEquals(texts, Array.from(texts, (_, i) => `line ${20 - texts.length + i}`));
  for (const name of names) assert((await Deno.stat(`${folder.path}/${name}`)).size <= 400);
});

Deno.test("a FIFO without a reader blocks nothing, costs bounded memory, and dropped lines are reported", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/pipe`;
  await run(["mkfifo", path]);
  const { log, say, notices } = openLog(path);
  await log.opened;
  for (let i = 0; i < 30_000; i++) say("x".repeat(200));
  await log[Symbol.asyncDispose]();
  assertMatch(
    notices.join("\n"),
    /the log .*pipe: it does not accept lines as fast as they are written/,
  );
  assertMatch(notices.at(-1)!, /the log .*pipe: \d+ lines were dropped/);
  // The pending write completes, so that nothing outlives the test.
  await run(["sh", "-c", `timeout 20 cat ${path} | head -c 1000000 >/dev/null`]);
});

testWith(
  ["unshare", "mount"],
  "a full disk leaves no partial line, and dropped lines are counted and reported",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const program = `
    const { LogFileSink } = await import("${new URL(
      "../../src/telemetry/log_file.ts",
      import.meta.url,
    )}");
    const path = "${folder.path}/log";
    const sink = new LogFileSink({ path, maxSize: 1e9, maxFiles: 2 });
    const line = new TextEncoder().encode("y".repeat(999) + "\\n");
    let full = 0;
    for (let i = 0; i < 200; i++) await sink.write(line).catch(() => full++);
    const text = Deno.readTextFileSync(path);
    console.log(full > 0, text.endsWith("\\n"), text.length % 1000);
    Deno.truncateSync(path);
    await sink.write(line);
    console.log(Deno.readTextFileSync(path).length);
  `;
    const { stdout, stderr } = await run([
      "unshare",
      "-m",
      "sh",
      "-c",
      `mount -t tmpfs -o size=100k none "$0" && exec "$1" eval "$2"`,
      folder.path,
      Deno.execPath(),
      program,
    ]);
    assertEquals([stdout, stderr], ["true true 0\n1000\n", ""]);
  },
);

Deno.test("a line longer than the maximum size of a file is written to a file of its own", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/log`;
  using sink = new LogFileSink({ path, maxSize: 10, maxFiles: 2 });
  const lines = encoder.encode("a long line indeed\nshort\n");
  assertEquals(await sink.write(lines), 19);
  assertEquals(await sink.write(lines.subarray(19)), 6);
  assertEquals(await Deno.readTextFile(path), "short\n");
  assertEquals(await Deno.readTextFile(`${path}.1`), "a long line indeed\n");
});
