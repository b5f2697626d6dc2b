/** Requests that need much work at once: metrics, the console's filter, reloads of many outlets. */
import { assert, assertEquals } from "@std/assert";
import { type AttackedServer, ECHO_OUTLET, testAttack } from "../../harness/attacked.ts";
import { eventually } from "../../harness/eventually.ts";

const TOKEN = "a-token-for-this-test";
const OUTLETS = 200;
const CONNECTIONS = 300;

testAttack("metrics, filters and reloads are requested of many outlets and connections at once", {
  async args({ folder }) {
    await Deno.writeTextFile(`${folder}/token`, TOKEN);
    await writeConfig(folder, 1_000);
    const console = ["--console", "127.0.0.1:0", "--console-token-file", `${folder}/token`];
    return ["--config", `${folder}/outlet.json`, ...console];
  },
  // Loads the modules of a reload and of the console's lists.
  async warmUp(server) {
    await reload(server, 1_001);
    assertEquals(await list(server, "127"), 200);
  },
  async begin(server, stack) {
    for (let i = 0; i < CONNECTIONS; i++) stack.use(await server.connect(ECHO_OUTLET));
    let isDone = false;
    const repeat = async (request: (round: number) => Promise<unknown>) => {
      for (let round = 0; !isDone; round++) await request(round);
    };
    const requests = [
      repeat(() => server.metrics()),
      repeat(() => list(server, "1 2 7 0 . : # a b c ".repeat(10))),
      repeat(() => list(server, "1".repeat(60_000))),
      repeat((round) => reload(server, 2_000 + round)),
    ];
    stack.defer(async () => {
      isDone = true;
      await Promise.all(requests);
    });
  },
  async check(server) {
    assertEquals(await list(server, "1 2 7 0 . : # a b c ".repeat(10)), 200);
    const refused = await list(server, "1".repeat(60_000));
    assert(refused >= 400 && refused < 500, `${refused} for a filter of 60 KB`);
  },
});

/** Writes a config whose outlets all have another rate. */
async function writeConfig(folder: string, rate: number): Promise<void> {
  const many = Array.from({ length: OUTLETS }, (_, i) => ({
    ...{ service: "discard", listen: "127.0.0.1:0", name: `outlet-${i}`, rate },
  }));
  const echo = { service: "echo", listen: "127.0.0.1:0", name: ECHO_OUTLET };
  await Deno.writeTextFile(`${folder}/next.json`, JSON.stringify({ outlets: [echo, ...many] }));
  await Deno.rename(`${folder}/next.json`, `${folder}/outlet.json`);
}

/** Changes every outlet, and waits until the change is in force. */
async function reload(server: AttackedServer, rate: number): Promise<void> {
  const before = await reloads(server);
  await writeConfig(server.folder, rate);
  Deno.kill(server.pid, "SIGHUP");
  await eventually(async () => await reloads(server) > before, "the reload");
}

async function reloads(server: AttackedServer): Promise<number> {
  const page = await server.metrics();
  return Number(/^outlet_reloads_total\{result="reloaded"\} (\d+)$/m.exec(page)?.[1] ?? 0);
}

/** The status of a list of connections with this filter. */
async function list(server: AttackedServer, filter: string): Promise<number> {
  const [, origin] = await server.program.prints(/console at (http:\S+:\d+)\//);
  const query = new URLSearchParams({ filter });
  const answer = await fetch(`${origin}/api/v1/connections?${query}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  await answer.body?.cancel();
  return answer.status;
}
