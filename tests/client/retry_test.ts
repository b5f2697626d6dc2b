import { assert, assertEquals, assertRejects } from "@std/assert";
import { backoffDelay, withRetry } from "../../src/client/retry.ts";
import { runTestClient } from "../harness/client.ts";

Deno.test("delays grow to 30 seconds, with 25 % jitter", () => {
  for (const [tried, middle] of [[0, 1000], [1, 2000], [3, 8000], [20, 30_000]] as const) {
    for (let i = 0; i < 50; i++) {
      const pause = backoffDelay(tried, 1000);
      assert(pause >= middle * 0.75 && pause <= middle * 1.25, `${tried}: ${pause}`);
    }
  }
});

Deno.test("an attempt is retried as often as configured, and the last error is thrown", async () => {
  let attempts = 0;
  const options = { retries: 3, delay: 1, isFinal: () => false, log: () => {} };
  const fail = () => Promise.reject(new Error(`attempt ${++attempts}`));
  await assertRejects(() => withRetry(fail, options), Error, "attempt 4");
  assertEquals(await withRetry(() => Promise.resolve(7), options), 7);
});

Deno.test("a final error is not retried", async () => {
  let attempts = 0;
  const fail = () => Promise.reject(new Error(`attempt ${++attempts}`));
  const options = { retries: Infinity, delay: 1, isFinal: () => true, log: () => {} };
  await assertRejects(() => withRetry(fail, options), Error, "attempt 1");
});

Deno.test("--retry waits until the service is up", async () => {
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  const waiting = runTestClient([
    "127.0.0.1",
    String(port),
    "--retry",
    "forever",
    "--retry-delay",
    "20ms",
  ]);
  using listener = Deno.listen({ hostname: "127.0.0.1", port });
  using client = await listener.accept();
  await client.write(new TextEncoder().encode("up"));
  client.closeWrite();
  assertEquals((await waiting).received, "up");
});
