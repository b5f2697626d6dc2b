/**
 * A socket bound to a port that workers share gets connections at once (SO_REUSEPORT), so none is
 * bound without being accepted from.
 */
import { assertEquals } from "@std/assert";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { freePort } from "../harness/ports.ts";
import { outlet, Program } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

const WORKERS = 2;

testWith(
  ["strace"],
  "a reload of service and limits binds no socket at an open port, and a restart binds one per worker",
  async () => {
    await using folder = await TemporaryDirectory.make();
    const [config, trace] = [`${folder.path}/outlet.json`, `${folder.path}/trace`];
    const port = freePort();
    const write = (service: string, rate: number) =>
      Deno.writeTextFile(
        config,
        JSON.stringify({ workers: WORKERS, outlets: [{ service, listen: `:${port}`, rate }] }),
      );
    const binds = async () =>
      (await Deno.readTextFile(trace)).match(new RegExp(`bind\\(.*htons\\(${port}\\)`, "g"))!
        .length;
    await write("echo", 1_000);
    await using server = new Program([
      "strace",
      ...["-D", "-f", "-qq", "-e", "trace=bind", "-o", trace],
      ...outlet("server", "--config", config),
    ]);
    await server.logs(/ready/);
    // One socket per worker, and one before them that tests whether the port is free.
    assertEquals(await binds(), WORKERS + 1);
    let seen = /ready/;
    for (const [round, service] of ["discard", "daytime", "echo"].entries()) {
      await write(service, 1_001 + round);
      server.signal("SIGHUP");
      seen = new RegExp(`${seen.source}[^]*listening ${service} [^]*reloaded`);
      await server.logs(seen);
    }
    assertEquals(await binds(), WORKERS + 1);
    server.signal("SIGUSR2");
    await server.logs(/1: all workers are being restarted/);
    assertEquals(await binds(), 2 * WORKERS + 1);
    server.signal("SIGTERM");
    assertEquals((await server.outcome()).code, 0);
  },
);
