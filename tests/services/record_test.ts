import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { parseServerArgs } from "../../src/cli/server_args.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import { bytesOf, noise, readAll, readText, send } from "../harness/bytes.ts";
import { TestServer } from "../harness/server.ts";

/**
 * Sends data, half-closes, and waits until the server has closed too, when all data is in the file.
 */
async function deliver(server: TestServer, data: Uint8Array | string): Promise<void> {
  using client = await server.connect();
  await send(client, data);
  await client.closeWrite();
  assertEquals((await readAll(client)).length, 0);
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

Deno.test("record has written all data of a client when the connection is closed", () =>
  inFolder(async (folder) => {
    const file = `${folder}/all`;
    await using server = await TestServer.open(`record://:0?file=${file}`);
    const bytes = noise(3_000_000);
    await deliver(server, bytes);
    assertEquals(await Deno.readFile(file), bytes);
    await deliver(server, "and more");
    assertEquals((await Deno.readFile(file)).length, bytes.length + 8);
    assertEquals((await server.event("closed")).notes, { file });
  }));

Deno.test("record appends to an existing file", () =>
  inFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/all`, "before\n");
    await using server = await TestServer.open(`record://:0?file=${folder}/all`);
    await deliver(server, "after\n");
    assertEquals(await Deno.readTextFile(`${folder}/all`), "before\nafter\n");
  }));

Deno.test("record never mixes the lines of concurrent clients", () =>
  inFolder(async (folder) => {
    const file = `${folder}/all`;
    await using server = await TestServer.open(`record://:0?file=${file}&lines`);
    const line = (client: number, at: number) => `${client} ${at} ${"x".repeat(at * 7 % 300)} end`;
    const speak = async (client: number) => {
      using connection = await server.connect();
      for (let at = 0; at < 200; at++) {
        const text = line(client, at) + (at === 199 ? "" : "\n");
        await send(connection, text.slice(0, 5));
        await send(connection, text.slice(5));
      }
      await connection.closeWrite();
      await readAll(connection);
    };
    await Promise.all(Array.from({ length: 10 }, (_, client) => speak(client)));
    const lines = (await Deno.readTextFile(file)).split("\n");
    assertEquals(lines.pop(), "");
    const expected = Array.from(
      { length: 10 },
      (_, client) => Array.from({ length: 200 }, (_, at) => line(client, at)),
    ).flat();
    assertEquals(lines.sort(), expected.sort());
  }));

Deno.test("record keeps a partial line of a client whose connection failed", () =>
  inFolder(async (folder) => {
    await using server = await TestServer.open(`record://:0?file=${folder}/all&lines`);
    using client = await server.connect();
    await send(client, "whole\nbegun");
    while ([...server.server.connections()][0]?.connection.bytesIn !== 11) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await server.server.stop({ grace: 0 });
    await readText(client).catch(() => "");
    assertEquals(await Deno.readTextFile(`${folder}/all`), "whole\nbegun\n");
  }));

Deno.test("record refuses an endless line, and keeps its beginning", () =>
  inFolder(async (folder) => {
    await using server = await TestServer.open(`record://:0?file=${folder}/all&lines`);
    using client = await server.connect();
    await send(client, new Uint8Array(8_000_000).fill(120)).catch(() => {});
    await readAll(client).catch(() => {});
    assertMatch(
      (await server.event("closed")).reason,
      /^error: a line has more than 1048576 bytes$/,
    );
    const { size } = await Deno.stat(`${folder}/all`);
    assert(size > 1_048_576 && size < 1_048_576 + 300_000);
  }));

Deno.test("record creates a file for each client, named by time, address and number", () =>
  inFolder(async (folder) => {
    await using server = await TestServer.open(`record://:0?dir=${folder}`);
    await deliver(server, "one");
    await deliver(server, "two");
    const names = namesIn(folder);
    assertEquals(names.length, 2);
    for (const name of names) assertMatch(name, /^\d{8}T\d{6}\.\d{3}Z_127\.0\.0\.1_\d+_\d+$/);
    const texts = names.map((name) => Deno.readTextFileSync(`${folder}/${name}`));
    assertEquals(texts.sort(), ["one", "two"]);
  }));

Deno.test("record rotates its file before it grows too large, and keeps a number of files", () =>
  inFolder(async (folder) => {
    const file = `${folder}/all`;
    await using server = await TestServer.open(`record://:0?file=${file}&rotate-size=1k&keep=3`);
    for (let i = 0; i < 8; i++) await deliver(server, bytesOf(String(i).repeat(600)));
    const names = namesIn(folder);
    assertEquals(names.length, 4);
    for (const name of names.slice(1)) assertMatch(name, /^all\.\d{8}T\d{6}\.\d{3}Z(-\d+)?$/);
    const contents = names.map((name) => Deno.readTextFileSync(`${folder}/${name}`)[0]).sort();
    assertEquals(contents, ["4", "5", "6", "7"]);
  }));

Deno.test("record rotates its file at its age", () =>
  inFolder(async (folder) => {
    await using server = await TestServer.open(`record://:0?file=${folder}/all&rotate-age=1ms`);
    await deliver(server, "one");
    await new Promise((resolve) => setTimeout(resolve, 5));
    await deliver(server, "two");
    const texts = namesIn(folder).map((name) => Deno.readTextFileSync(`${folder}/${name}`));
    assertEquals(texts.sort(), ["one", "two"]);
  }));

for (
  const [what, args, reason] of [
    ["is full", "file=/dev/full", "cannot record to /dev/full: no space left on device"],
    [
      "has no such directory",
      "file=/nowhere/all",
      "cannot record to /nowhere/all: no such directory",
    ],
    [
      "has a directory with the file's name",
      "file=/tmp",
      "cannot record to /tmp: it is a directory",
    ],
  ] as const
) {
  Deno.test(`record resets the client, which signals a failure, if the disk ${what}`, async () => {
    await using server = await TestServer.open(`record://:0?${args}&sync=write`);
    for (let tries = 1; tries <= 2; tries++) {
      using client = await server.connect();
      await send(client, "text\n");
      await client.closeWrite();
      await assertRejects(() => readText(client), Deno.errors.ConnectionReset);
    }
    assertEquals((await server.event("closed")).reason, `error: ${reason}`);
    assertEquals((await server.event("failed")).reason, reason);
    assertEquals(server.events.filter(({ event }) => event === "closed").length, 2);
  });
}

Deno.test("record continues when there is space again, and leaves no partial write", () =>
  inFolder(async (folder) => {
    await using server = await TestServer.open(`record://:0?file=${folder}/sub/all&lines`);
    using client = await server.connect();
    await send(client, "lost\n");
    await readText(client).catch(() => "");
    await Deno.mkdir(`${folder}/sub`);
    await deliver(server, "kept\n");
    assertEquals(await Deno.readTextFile(`${folder}/sub/all`), "kept\n");
  }));

Deno.test("record refuses a rotation at size or age 0", () => {
  for (const [option, value] of [["rotate-size", "0"], ["rotate-age", "0s"]]) {
    assertThrows(
      () => parseServerArgs([`record://:0?file=a&${option}=${value}`]),
      UsageError,
      `${option} cannot be 0`,
    );
  }
});

Deno.test("record needs exactly one of file and dir", () => {
  assertThrows(
    () => parseServerArgs(["record://:0"]),
    UsageError,
    "record needs file or dir",
  );
  assertThrows(
    () => parseServerArgs(["record://:0?file=a&dir=b"]),
    UsageError,
    "file and dir exclude each other",
  );
  assertThrows(
    () => parseServerArgs(["record://:0?dir=b&lines"]),
    UsageError,
    "lines needs file",
  );
});
