/** `--workers`: several threads that look like one server. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { readText, readUntil, send } from "./harness/bytes.ts";
import { MORTAL, TestSupervisor, WORKERS } from "./harness/supervisor.ts";
import { configOf } from "./harness/server.ts";

/** So many clients, each of which has had an answer of an echo. */
async function answered(supervisor: TestSupervisor, count: number): Promise<Deno.TcpConn[]> {
  const opened = supervisor.count("opened") + count;
  const clients = await Promise.all(Array.from({ length: count }, async () => {
    const client = await supervisor.connect();
    await send(client, "hello\n");
    await readUntil(client, /hello\n/);
    return client;
  }));
  await supervisor.told(() => supervisor.count("opened") === opened);
  return clients;
}

Deno.test("workers share the clients of a port, and look like one server", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0"]);
  const clients = await answered(supervisor, 60);
  const workers = new Set(
    [...supervisor.supervisor.connections()].map(({ connection }) => connection.worker),
  );
  assertEquals(workers.size, WORKERS);
  const ids = new Set(supervisor.events.flatMap((e) => e.event === "opened" ? [e.connection] : []));
  assertEquals([...ids].toSorted((a, b) => a - b), Array.from({ length: 60 }, (_, i) => i + 1));
  for (const client of clients) client.close();
  await supervisor.told(() => supervisor.count("closed") === 60);
  assertEquals([...supervisor.supervisor.connections()], []);
  assertEquals(await supervisor.supervisor.stop({ grace: 1000 }), 0);
  assertEquals(["listening", "ready", "stopped"].map((name) => supervisor.count(name as "ready")), [
    1,
    1,
    1,
  ]);
});

Deno.test("--max-connections is exact over all workers, and places come back", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0", "--max-connections", "10"]);
  for (let round = 0; round < 3; round++) {
    const settled = await Promise.allSettled(Array.from({ length: 40 }, async () => {
      const client = await supervisor.connect();
      try {
        await send(client, "hello\n");
        await readUntil(client, /hello\n/);
        return client;
      } catch (error) {
        client.close();
        throw error;
      }
    }));
    const inside = settled.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    assertEquals(inside.length, 10);
    for (const client of inside) client.close();
    await supervisor.told(() => supervisor.count("closed") === 10 * (round + 1));
  }
  await supervisor.told(() => supervisor.count("refused") === 90);
});

Deno.test("--max-per-ip holds over all workers", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0?max-per-ip=5"]);
  const clients: Deno.TcpConn[] = [];
  for (let i = 0; i < 15; i++) {
    const client = await supervisor.connect();
    clients.push(client);
    await send(client, "hello\n").catch(() => {});
    await readUntil(client, /hello\n/).catch(() => {});
  }
  await supervisor.told(() => supervisor.count("opened") + supervisor.count("refused") === 15);
  assertEquals([supervisor.count("opened"), supervisor.count("refused")], [5, 10]);
  for (const client of clients) client.close();
});

Deno.test("a room reaches across workers", async () => {
  await using supervisor = await TestSupervisor.open(["chat://:0"]);
  const members = await Promise.all(Array.from({ length: 12 }, async () => {
    const member = await supervisor.connect();
    await readUntil(member, /welcome/);
    return member;
  }));
  // A room learns of its namesakes in other workers a moment after it is opened.
  const [speaker, ...others] = members;
  const heard = others.map((member) => readUntil(member, /> everybody\n/));
  const speaking = setInterval(() => send(speaker!, "everybody\n"), 100);
  await Promise.all(heard);
  clearInterval(speaking);
  for (const member of members) member.close();
});

Deno.test("reload reaches all workers, and keeps their connections", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0", "daytime://:0"]);
  const [client] = await answered(supervisor, 1);
  const echoPort = supervisor.port(0);
  const changes = await supervisor.supervisor.change(
    configOf(["echo://:0?max-per-ip=1", "discard://:0", "--workers", String(WORKERS)]),
  );
  assertEquals(changes, { opened: 1, closed: 1, changed: 1 });
  assertEquals([...supervisor.supervisor.outlets].map(({ name }) => name), ["echo", "discard"]);
  assertEquals(supervisor.port(0), echoPort);
  await supervisor.told(() => supervisor.count("stopped") === 1);
  await send(client!, "still\n");
  await readUntil(client!, /still\n/);
  for (let i = 0; i < 6; i++) {
    using late = await supervisor.connect();
    assertEquals(await readText(late).catch(() => ""), "");
  }
  await supervisor.told(() => supervisor.count("refused") === 6);
  client!.close();
});

Deno.test("drain reaches all workers, and counts whom it cuts", async () => {
  const supervisor = await TestSupervisor.open(["echo://:0"]);
  const clients = await answered(supervisor, 12);
  const port = supervisor.port();
  assertEquals(await supervisor.supervisor.stop({ grace: 50 }), 12);
  assertEquals(supervisor.events.find(({ event }) => event === "stopped"), {
    event: "stopped",
    id: 1,
    outlet: "echo",
    address: { hostname: "127.0.0.1", port },
    aborted: 12,
  });
  for (const client of clients) assertEquals(await readText(client), "");
  for (const client of clients) client.close();
});

Deno.test("connections can be watched, spoken to and closed from outside their worker", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0"]);
  const [client] = await answered(supervisor, 1);
  const { connection: live } = [...supervisor.supervisor.connections()][0]!;
  const seen = Promise.withResolvers<string>();
  using _watch = live.tap({
    received: (bytes) => seen.resolve(new TextDecoder().decode(bytes)),
    sent() {},
  });
  // Asked in order, answered in order: once this has been sent, the watch is on.
  await live.write(new TextEncoder().encode("from the operator\n"));
  await readUntil(client!, /from the operator\n/);
  await send(client!, "seen\n");
  assertEquals(await seen.promise, "seen\n");
  live.close("closed by the operator");
  await supervisor.told((events) =>
    events.some((e) => e.event === "closed" && e.reason === "closed by the operator")
  );
  client!.close();
});

Deno.test("a worker that dies is replaced, and its places are given back", async () => {
  await using supervisor = await TestSupervisor.open(
    ["echo://:0", "--max-connections", "30"],
    { module: MORTAL },
  );
  const clients = await answered(supervisor, 30);
  const { connection: victim } = [...supervisor.supervisor.connections()][0]!;
  await victim.write(new TextEncoder().encode("die")).catch(() => {});
  await supervisor.told(() => supervisor.count("worker-restarted") === 1);
  const died = supervisor.events.find(({ event }) => event === "worker-restarted");
  assertMatch(died?.event === "worker-restarted" ? died.reason : "", /a mortal worker/);
  const lost = 30 - [...supervisor.supervisor.connections()].length;
  assert(lost > 0 && lost < 30);
  // As many find room as were lost, and with the new worker there are three again.
  const before = new Set(
    [...supervisor.supervisor.connections()].map(({ connection }) => connection.worker),
  );
  assertEquals(before.size, WORKERS - 1);
  const fresh: Deno.TcpConn[] = [];
  while (
    new Set([...supervisor.supervisor.connections()].map(({ connection }) => connection.worker))
      .size < 3
  ) {
    // Who waits at the door of the worker that died is reset by the kernel.
    const client = await supervisor.connect().catch(() => undefined);
    if (!client) continue;
    await send(client, "hello\n").catch(() => {});
    const served = await readUntil(client, /hello\n/).then(() => true, () => false);
    if (served && fresh.length < lost) fresh.push(client);
    else client.close();
    if (fresh.length === lost) fresh.shift()?.close();
    await delay(5);
  }
  for (const client of [...clients, ...fresh]) client.close();
});

Deno.test("what can't be had in one worker is had in none", async () => {
  using squatter = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
  await assertRejects(
    () => TestSupervisor.open(["echo://:0", `discard://:${squatter.addr.port}`]),
    Error,
    "address already in use",
  );
  await assertRejects(
    () => TestSupervisor.open(["stdio://:0"]),
    Error,
    "there is one standard input",
  );
});
