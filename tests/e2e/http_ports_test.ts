/** The ports of metrics and console in the log. */
import { assertEquals } from "@std/assert";
import { outlet, Program } from "../harness/program.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";

for (const workers of ["1", "2"]) {
  Deno.test(`the log has the ports of metrics and console where they were 0 (--workers ${workers})`, async () => {
    await using folder = await TemporaryDirectory.make();
    const config = `${folder.path}/outlet.json`;
    const write = (metrics: string) =>
      Deno.writeTextFile(config, JSON.stringify({ outlets: ["echo://:0"], metrics }));
    await write("127.0.0.1:0");
    const args = ["--config", config, "--console", ":0", "--workers", workers];
    await using server = new Program(outlet("server", ...args, "--log-format", "json"));
    const [, first] = await server.logs(/"event":"metrics-listening","address":"([^"]+)"/);
    const [, ready, page] = await server.logs(
      /"event":"ready".*"metrics":"([^"]+)","console":"([^"]+)"/,
    );
    assertEquals(ready, first);
    assertEquals(await healthAt(first!), "ok\n");
    const [, announced] = await server.prints(/console at http:\/\/([^/]+)\//);
    assertEquals(page, announced);
    await write("127.0.0.2:0");
    const [, second] = await server.logs(
      /"event":"metrics-listening","address":"(127\.0\.0\.2:\d+)"/,
    );
    assertEquals(await healthAt(second!), "ok\n");
    server.signal("SIGTERM");
    assertEquals((await server.outcome()).code, 0);
  });
}

async function healthAt(address: string): Promise<string> {
  return await (await fetch(`http://${address}/healthz`)).text();
}
