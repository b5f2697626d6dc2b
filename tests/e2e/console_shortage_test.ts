/** The console while descriptors are short: it answers, and what cannot be done there ends nothing. */
import { assertEquals, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import { outlet, Program, run } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

testWith(
  ["prlimit"],
  "a dial from the console without a free descriptor fails by itself, and the server goes on",
  async () => {
    const folder = await Deno.makeTempDir();
    const token = "a-token-for-this-test";
    await Deno.writeTextFile(`${folder}/token`, token);
    await using server = new Program(
      outlet(
        ...["server", "echo://:0", "--log-format", "json", "--console", "127.0.0.1:0"],
        ...["--console-token-file", `${folder}/token`],
      ),
    );
    const [, port] = await server.complains(/"listening".*"address":"[^"]*:(\d+)"/);
    const [, origin] = await server.prints(/console at (http:\S+:\d+)\//);
    const ask = async (path: string, init: RequestInit = {}) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const answer = await fetch(`${origin}/api/v1/${path}`, { headers, ...init });
      return await answer.json();
    };
    // What is loaded with the first dial is there.
    const body = JSON.stringify({ host: "127.0.0.1", port });
    await ask("clients", { method: "POST", body });
    while ((await ask("clients/1")).state === "dialling") await delay(50);
    const used = (await Array.fromAsync(Deno.readDir(`/proc/${server.pid}/fd`))).length;
    await run(["prlimit", `--pid=${server.pid}`, `--nofile=${used}:${used}`]);
    await ask("clients", { method: "POST", body });
    let second = await ask("clients/2");
    for (; second.state === "dialling"; second = await ask("clients/2")) await delay(50);
    // It had a descriptor if one became free in between, and says so if it had none.
    assertMatch(
      `${second.state} ${second.error ?? ""}`,
      /^(open|failed .*no file descriptor is free)/,
    );
    assertEquals((await ask("server")).pid > 0, true);
    server.signal("SIGTERM");
    await Deno.remove(folder, { recursive: true });
    const { stderr } = await server.outcome();
    assertEquals(/unexpected-error|Uncaught/.test(stderr), false, stderr);
  },
);
