/** A worker that hangs is noticed, and costs no client but its own; a supervisor that was late accuses nobody. */
import { assertEquals, assertMatch } from "@std/assert";
import type { WorkerPort } from "../../src/workers/messages.ts";
import { WorkerPool } from "../../src/workers/worker_pool.ts";
import { ROOT, run } from "../harness/program.ts";

/** Runs the server one of whose workers hangs, with these permissions. */
async function hang(...permissions: string[]): Promise<Record<string, unknown>> {
  const script = `${ROOT}tests/harness/hanging_server.ts`;
  const { code, stdout, stderr } = await run(
    [Deno.execPath(), "run", "--quiet", "--no-check", ...permissions, script],
    { cwd: ROOT },
  );
  assertEquals([code, stderr], [0, ""]);
  return JSON.parse(stdout);
}

Deno.test("the sockets of a worker that hangs are taken from it, and another one serves", async () => {
  const { told, answered, failed } = await hang("-A");
  assertEquals([answered, failed], [100, undefined]);
  assertMatch(String((told as string[])[0]), /^it hangs: no heartbeat for \d+ s$/);
  assertEquals((told as string[])[1], "error: worker hangs");
});

Deno.test("where that is not allowed, the server cannot go on, and says so", async () => {
  const all = ["net", "read", "write", "env", "sys", "run"].map((name) => `--allow-${name}`);
  const { failed } = await hang(...all);
  assertMatch(String(failed), /welcome sockets stay open: .*--allow-ffi/);
});

Deno.test("who looks after workers late accuses nobody, nor one that is still loading", () => {
  const lost: string[] = [];
  const port: WorkerPort = {
    onmessage: null,
    onerror: null,
    postMessage() {},
    terminate() {},
  };
  using pool = new WorkerPool({
    count: 1,
    spawn: () => port,
    start: () => Promise.resolve(),
    join: () => Promise.resolve(),
    onMessage() {},
    onGone: (_, { reason }) => lost.push(reason),
    onRetired() {},
    releaseSockets: () => Promise.reject(new Error("no sockets")),
    onFatal() {},
  });
  pool.start();
  let now = performance.now();
  // Until a worker was heard of, it loads its modules: however long that takes, it does not hang.
  for (let second = 0; second < 3_600; second++) pool.checkSilence(now += 1_000);
  assertEquals(lost, []);
  port.onmessage!({ data: { type: "buses", buses: [] } });
  // The whole process stood still for an hour.
  pool.checkSilence(now += 3_600_000);
  for (let second = 0; second < 10; second++) pool.checkSilence(now += 1_000);
  assertEquals(lost, []);
  pool.checkSilence(now += 1_000);
  assertEquals(lost, ["it hangs: no heartbeat for 11 s"]);
});
