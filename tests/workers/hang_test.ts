/**
 * A hanging worker is detected, without effect on clients of others; a suspended supervisor
 * suspects no worker.
 */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { handledElsewhere } from "../../src/scheduling/task_scope.ts";
import type { WorkerPort } from "../../src/workers/messages.ts";
import { WorkerPool } from "../../src/workers/worker_pool.ts";
import { ROOT, run } from "../harness/program.ts";

/** Runs the server with a hanging worker, with these permissions of Deno. */
async function hang(...permissions: string[]): Promise<Record<string, unknown>> {
  const script = `${ROOT}tests/harness/hanging_server.ts`;
  const { code, stdout, stderr } = await run(
    [Deno.execPath(), "run", "--quiet", "--no-check", ...permissions, script],
    { cwd: ROOT },
  );
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

Deno.test("the listening sockets of a hanging worker are closed, also Unix sockets, and another worker serves", async () => {
  const { reported, answered, failed } = await hang("-A");
  assertEquals([answered, failed], [100, undefined]);
  assertMatch(String((reported as string[])[0]), /^it hangs: no heartbeat for \d+ s$/);
  assertEquals((reported as string[])[1], "error: worker hangs");
});

Deno.test("without the permission to close its sockets, a hanging worker ends the server with an error", async () => {
  const all = ["net", "read", "write", "env", "sys", "run"].map((name) => `--allow-${name}`);
  const { failed } = await hang(...all);
  assertMatch(String(failed), /welcome sockets stay open: .*--allow-ffi/);
});

/** A pool of workers that have sent no message, and the reasons why they were given up. */
function silentPool(workers: number) {
  const lost: string[] = [];
  const port: WorkerPort = {
    onmessage: null,
    onerror: null,
    postMessage() {},
    terminate() {},
  };
  const pool = new WorkerPool({
    count: workers,
    spawn: () => port,
    start: (worker) => worker.request("start", undefined as never),
    join: () => Promise.resolve(),
    onMessage() {},
    onGone: (_, { reason }) => lost.push(reason),
    onRetired() {},
    releaseSockets: () => Promise.reject(new Error("no sockets")),
    onFatal() {},
  });
  return { pool, port, lost };
}

Deno.test("a supervisor that checks late because it was suspended reports no hanging worker", () => {
  const { pool, port, lost } = silentPool(1);
  using _ = pool;
  handledElsewhere(pool.start());
  let now = performance.now();
  port.onmessage!({ data: { type: "buses", buses: [] } });
  // The whole process was suspended for an hour.
  pool.checkSilence(now += 3_600_000);
  for (let second = 0; second < 10; second++) pool.checkSilence(now += 1_000);
  assertEquals(lost, []);
  pool.checkSilence(now += 1_000);
  assertEquals(lost, ["it hangs: no heartbeat for 11 s"]);
});

Deno.test("a worker has ten minutes to load, and a start fails if none has loaded by then", async () => {
  const { pool, lost } = silentPool(2);
  using _ = pool;
  const refused = assertRejects(
    () => pool.start(),
    Error,
    "no worker can start: its modules were not loaded within 10 min",
  );
  let now = performance.now();
  for (let second = 0; second < 599; second++) pool.checkSilence(now += 1_000);
  assertEquals(lost, []);
  for (let second = 599; second < 601; second++) pool.checkSilence(now += 1_000);
  await refused;
  assertEquals(lost, Array(2).fill("its modules were not loaded within 10 min"));
});
