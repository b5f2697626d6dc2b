/**
 * Metrics, console and TLS need a recent runtime; on an older one they are refused at the start.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { outlet, Program, run } from "../harness/program.ts";

/** Whether the runtime of the program under test is too old; a compiled program has its own. */
async function isOld(): Promise<boolean> {
  const { stdout } = await run(outlet("--version"));
  const [, major, minor] = stdout.match(/\(deno (\d+)\.(\d+)/)!;
  return Number(major) < 2 || (Number(major) === 2 && Number(minor) < 5);
}

Deno.test("the console is served, or refused at the start in one line if the runtime is too old", async () => {
  const args = outlet("server", "echo://:0", "--console", ":0");
  if (await isOld()) {
    for (
      const asked of [["--metrics", "127.0.0.1:0"], ["--console", ":0"], [
        "--tls",
        "--tls-self-signed",
      ]]
    ) {
      const { code, stdout, stderr } = await run(outlet("server", "echo://:0", ...asked));
      assertEquals([code, stdout], [1, ""]);
      assertMatch(stderr, /^outlet: this program's runtime, Deno \S+, is too old for .*\n$/);
    }
    return;
  }
  await using server = new Program(args);
  const [, url] = await server.prints(/console at (\S+)\n/);
  const answer = await fetch(url!);
  assertMatch(await answer.text(), /<html/);
});
