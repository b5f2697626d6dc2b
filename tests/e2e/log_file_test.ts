import { assert, assertEquals, assertMatch } from "@std/assert";
import { outlet, Program, run } from "../harness/program.ts";

Deno.test("--log-file writes the log to a file, and rotates it by size", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/outlet.log`;
  const notify = `${folder}/notify`;
  const manager = Deno.listenDatagram({ transport: "unixpacket", path: notify });
  const log = `--log-file ${file} --log-file-size 400 --log-files 3 --log-format json`.split(" ");
  await using server = new Program(
    outlet("server", "echo://:0", "time://:0", "daytime://:0", ...log),
    { env: { NOTIFY_SOCKET: notify } },
  );
  await manager.receive();
  manager.close();
  server.signal("SIGTERM");
  const { code, stderr } = await server.outcome();
  assertEquals([code, stderr], [0, ""]);
  const files = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
    .filter((name) => name.startsWith("outlet.log"));
  // Lines of the same moment are written together, so the number of files varies.
  assert(files.includes("outlet.log.1") && files.length <= 3, files.join(", "));
  for (const name of files) {
    const text = await Deno.readTextFile(`${folder}/${name}`);
    for (const line of text.trim().split("\n")) JSON.parse(line);
  }
  assertMatch(await Deno.readTextFile(file), /"event":"stopped"/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a log file that cannot be opened is named in the error, and no outlet is opened", async () => {
  const { code, stderr } = await run(outlet("server", "echo://:0", "--log-file", "/no/such/log"));
  assertEquals(code, 2);
  assertMatch(stderr, /^outlet: log-file \/no\/such\/log: no such directory: \/no\/such\n$/);
});
