import { assertEquals, assertRejects } from "@std/assert";
import type { ByteStream } from "../../src/transport/stream.ts";
import { dial, type DialStep } from "../../src/transport/dial.ts";

Deno.test("dialling a name tries its addresses and reports every step", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const steps: DialStep[] = [];
  const connection = await dial({ address: { hostname: "localhost", port: listener.addr.port } }, {
    timeout: 5_000,
    onStep: (step) => steps.push(step),
  });
  (await listener.accept()).close();
  connection.close();
  assertEquals(connection.remoteAddr, listener.addr);
  assertEquals(steps[0]?.step, "resolved");
  assertEquals(steps.at(-1)?.step, "connected");
});

Deno.test("connection refused on this machine is explained by the kernel's socket table", async () => {
  // A port bound on one address cannot be bound on all addresses by another program.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  for (
    const [hostname, shown] of [["127.0.0.2", "127.0.0.2"], [
      "::ffff:127.0.0.2",
      "[::ffff:127.0.0.2]",
    ]] as const
  ) {
    const error = await assertRejects(
      () => dial({ address: { hostname, port } }, { timeout: 5_000 }),
      Error,
    );
    assertEquals(
      error.message,
      `cannot connect to ${shown}:${port}: connection refused: nothing listens on that port of this machine`,
    );
  }
});

Deno.test("an unknown host name is reported as such", async () => {
  await assertRejects(
    () => dial({ address: { hostname: "no-such-host.invalid", port: 80 } }, { timeout: 20_000 }),
    Error,
    "host name not found",
  );
});

Deno.test("a full accept queue is reported as a timeout after the connection attempt's deadline", async () => {
  // With a backlog of one, the kernel accepts two connections and drops further SYNs.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: 1 });
  const { port } = listener.addr;
  const open: ByteStream[] = [];
  try {
    const error = await assertRejects(async () => {
      for (let i = 0; i < 10; i++) {
        open.push(await dial({ address: { hostname: "127.0.0.1", port } }, { timeout: 300 }));
      }
    }, Error);
    assertEquals(
      /timed out after 300 ms: a firewall drops packets/.test((error as Error).message),
      true,
    );
  } finally {
    for (const connection of open) connection.close();
  }
});

Deno.test("dialling stops at once when its signal is aborted", async () => {
  const reason = new Error("the server stops");
  await assertRejects(
    () =>
      dial({ address: { hostname: "127.0.0.1", port: 1 } }, {
        timeout: 5_000,
        signal: AbortSignal.abort(reason),
      }),
    Error,
    "the server stops",
  );
});
