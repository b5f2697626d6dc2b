import { assert, assertEquals, assertMatch } from "@std/assert";
import { outlet, Program, run } from "../harness/program.ts";

Deno.test("--log-file takes the log, and is put aside when it has grown", async () => {
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
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  assertEquals(names, ["notify", "outlet.log", "outlet.log.1", "outlet.log.2"]);
  for (const name of names.slice(1)) {
    const text = await Deno.readTextFile(`${folder}/${name}`);
    assert(text.length <= 400, `${name} has ${text.length} bytes`);
    for (const line of text.trim().split("\n")) JSON.parse(line);
  }
  assertMatch(await Deno.readTextFile(file), /"event":"stopped"/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a log file that cannot be opened is named, and nothing is served", async () => {
  const { code, stderr } = await run(outlet("server", "echo://:0", "--log-file", "/no/such/log"));
  assertEquals(code, 1);
  assertMatch(stderr, /^outlet: cannot open the log \/no\/such\/log: .*\n$/);
});
