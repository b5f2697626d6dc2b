/**
 * Changes of a server: each is made completely or not at all, one at a time, until the server
 * stops.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { descriptorBudget } from "../../src/admission/descriptors.ts";
import type { ServerConfig } from "../../src/config/server_config.ts";
import type { OutletEvent } from "../../src/events/events.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { Observers } from "../../src/app/observers.ts";
import { serve } from "../../src/app/serve.ts";
import { readText, readUntil, send } from "../harness/bytes.ts";
import { eventually } from "../harness/eventually.ts";
import { isClosed } from "../harness/ports.ts";
import { configOf, TestServer } from "../harness/server.ts";

/** The events of outlets from an index on, such as `listening discard`. */
function published(events: readonly OutletEvent[], from = 0): string[] {
  return events.slice(from).flatMap((event) =>
    event.event === "listening" || event.event === "stopped"
      ? [`${event.event} ${event.outlet} ${event.id}`]
      : []
  );
}

async function echoes(port: number): Promise<void> {
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  await send(client, "hello\n");
  assertEquals(await readUntil(client, /\n/), "hello\n");
}

async function* changesTo(config: ServerConfig): AsyncGenerator<ServerConfig> {
  yield config;
}

Deno.test("another service at an address takes over its listening socket, and no client is refused meanwhile", async () => {
  await using server = await TestServer.open("echo://:0");
  const port = server.port();
  await server.server.change(configOf([`echo://:${port}`, "time://:0"]));
  using before = await Deno.connect({ hostname: "127.0.0.1", port });
  await send(before, "before\n");
  await readUntil(before, /before\n/);
  let changing = true;
  const clients = (async () => {
    let count = 0;
    for (; changing || count < 50; count++) {
      using client = await Deno.connect({ hostname: "127.0.0.1", port });
      await client.closeWrite();
      // Either service may have accepted it, but it is not reset.
      await readText(client);
    }
    return count;
  })();
  for (let i = 0; i < 10; i++) {
    const service = i % 2 === 0 ? "discard" : "echo";
    await server.server.change(configOf([`${service}://:${port}`, "time://:0"]));
  }
  changing = false;
  assert(await clients >= 50);
  const [outlet] = server.server.outlets;
  assertEquals([outlet!.name, server.port()], ["echo", port]);
  await send(before, "after\n");
  await readUntil(before, /after\n/);
});

Deno.test("when an outlet takes over an address, `listening` and `stopped` are each published once", async () => {
  await using server = await TestServer.open("echo://:0");
  const port = server.port();
  // Port 0 and the port that it became are different addresses, so the first change opens another
  // socket.
  await server.server.change(configOf([`echo://:${port}`]));
  await server.event("stopped", ({ id }) => id === 1);
  const count = server.events.length;
  await server.server.change(configOf([`discard://:${port}`]));
  await server.event("stopped", ({ id }) => id === 2);
  assertEquals(published(server.events, count), ["listening discard 3", "stopped echo 2"]);
  assertEquals([...server.server.draining], []);
});

Deno.test("a move to an address that cannot be bound changes nothing", async () => {
  await using server = await TestServer.open("echo://127.0.0.1:0");
  const port = server.port();
  await server.server.change(configOf([`echo://127.0.0.1:${port}`]));
  await server.event("stopped", ({ id }) => id === 1);
  const [outlet] = server.server.outlets;
  const count = server.events.length;
  // Another socket has the same port on another address, so the wildcard address cannot be bound.
  using _occupant = Deno.listen({ hostname: "127.0.0.2", port });
  for (
    const [listen, reason] of [
      [`0.0.0.0:${port}`, "address already in use"],
      [`203.0.113.9:${port}`, "address not available on this machine"],
    ]
  ) {
    const other = configOf([`echo://${listen}`, "time://:0"]);
    await assertRejects(() => server.server.change(other), Error, reason);
    assertEquals([...server.server.outlets], [outlet]);
    await echoes(port);
  }
  assertEquals(published(server.events, count), []);
  assertEquals(server.server.state, "ready");
});

Deno.test("a reload of which one outlet is invalid changes nothing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/broken.pem`, "broken");
    await using server = await TestServer.open("echo://:0?max-connections=3");
    const port = server.port();
    const count = server.events.length;
    const broken = `time://:0?tls&tls-cert=${folder}/broken.pem`;
    await assertRejects(() =>
      server.server.change(configOf(["echo://:0?max-connections=1", "daytime://:0", broken]))
    );
    assertEquals([...server.server.outlets].map(({ name }) => name), ["echo"]);
    assertEquals(server.server.desired.outlets.length, 1);
    assertEquals(server.events.length, count);
    using _one = await Deno.connect({ hostname: "127.0.0.1", port });
    await echoes(port);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("concurrent changes are made one after the other, in order", async () => {
  await using server = await TestServer.open("echo://:0");
  const [spec] = configOf(["time://:0"]).outlets;
  const outcomes = await Promise.allSettled([
    server.server.open(spec!),
    server.server.open(spec!),
    server.server.change(configOf(["discard://:0", "echo://:0"])),
    server.server.open(spec!),
    server.server.change(configOf(["echo://:0", "daytime://:0", "daytime://:0"])),
  ]);
  assertEquals(outcomes.map(({ status }) => status), Array(5).fill("fulfilled"));
  const names = [...server.server.outlets].map(({ name }) => name);
  assertEquals(names, ["echo", "daytime", "daytime"]);
  const count = (name: string) => server.events.filter(({ event }) => event === name).length;
  await eventually(
    () => count("listening") === count("stopped") + names.length,
    "the end of what is gone",
  );
});

Deno.test("a stopping or stopped server refuses changes, and says so", async () => {
  const server = await TestServer.open("echo://:0");
  const [spec] = configOf(["time://:0"]).outlets;
  const port = server.port();
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  await server.event("opened");
  const stopped = server.server.stop({ grace: 60_000 });
  await assertRejects(() => server.server.open(spec!), Error, "the server is stopping");
  await isClosed(port);
  assertEquals(server.server.state, "draining");
  client.close();
  assertEquals(await stopped, 0);
  for (
    const late of [
      () => server.server.open(spec!),
      () => server.server.change(configOf(["echo://:0"])),
    ]
  ) {
    await assertRejects(late, Error, "the server has stopped");
  }
  assertEquals([server.server.state, [...server.server.outlets]], ["stopped", []]);
  assertEquals(await server.server.stop({ grace: 0 }), 0);
});

Deno.test("a second stop can only shorten the drain timeout", async () => {
  const server = await TestServer.open("echo://:0");
  using client = await Deno.connect({ hostname: "127.0.0.1", port: server.port() });
  await server.event("opened");
  const first = server.server.stop({ grace: 3_600_000 });
  const second = server.server.stop({ grace: 0 });
  assertEquals(await Promise.all([first, second]), [1, 1]);
  assertEquals(await readText(client), "");
});

Deno.test("an outlet that needs more descriptors lowers the limit for all outlets while it is open", async () => {
  await using server = await TestServer.open("echo://:0");
  const { admission } = [...server.server.outlets][0]!;
  const admitted = () => {
    using resources = new DisposableStack();
    for (let count = 0;; count++) {
      if (resources.use(admission.admit(undefined)).refusal !== undefined) return count;
    }
  };
  const alone = admitted();
  const [exec] = await server.server.open(configOf(["exec://:0?run=/bin/cat"]).outlets[0]!);
  const beside = admitted();
  assert(beside * 2 <= alone, `${beside} of ${alone}`);
  assert(alone <= descriptorBudget()!.limit);
  await server.server.close(exec!, { grace: 0 });
  assertEquals(admitted(), alone);
});

Deno.test("a reload that the server refuses changes neither log nor metrics", async () => {
  const eventBus = new EventBus();
  const lines: string[] = [];
  const before = configOf(["echo://:0", "--log-level", "debug", "--metrics", "127.0.0.1:0"]);
  using occupant = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const after = configOf([
    "echo://:0",
    `time://:${occupant.addr.port}`,
    "--log-level",
    "error",
  ]);
  await using observers = await Observers.open(before.options, {
    eventBus,
    write: (line) => lines.push(line),
  });
  const stop = new AbortController();
  const rejected = Promise.withResolvers<void>();
  eventBus.subscribe(({ event }) => event === "rejected" && rejected.resolve());
  const served = serve(before, {
    signal: stop.signal,
    eventBus,
    observers: [observers],
    changes: changesTo(after),
  });
  await rejected.promise;
  stop.abort();
  await served;
  assert(lines.some((line) => line.includes("nothing was changed")), lines.join("\n"));
  // Events below the level "error" are still logged.
  assert(lines.some((line) => line.includes("stopped")), lines.join("\n"));
});
