/** `--workers`: several threads that serve as one server. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { readText, readUntil, send } from "./harness/bytes.ts";
import { CRASHING_WORKER, TestSupervisor, WORKERS } from "./harness/supervisor.ts";
import { configOf } from "./harness/server.ts";

/** Connects this many clients, and waits until the echo outlet has answered each. */
async function answered(supervisor: TestSupervisor, count: number): Promise<Deno.TcpConn[]> {
  const opened = supervisor.count("opened") + count;
  const clients = await Promise.all(Array.from({ length: count }, async () => {
    const client = await supervisor.connect();
    await send(client, "hello\n");
    await readUntil(client, /hello\n/);
    return client;
  }));
  await supervisor.until(() => supervisor.count("opened") === opened);
  return clients;
}

Deno.test("workers share the connections of a port, and are one server to clients", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0"]);
  const clients = await answered(supervisor, 60);
  const workers = new Set(
    [...supervisor.supervisor.connections()].map(({ connection }) => connection.worker),
  );
  assertEquals(workers.size, WORKERS);
  const ids = new Set(supervisor.events.flatMap((e) => e.event === "opened" ? [e.connection] : []));
  assertEquals([...ids].toSorted((a, b) => a - b), Array.from({ length: 60 }, (_, i) => i + 1));
  for (const client of clients) client.close();
  await supervisor.until(() => supervisor.count("closed") === 60);
  assertEquals([...supervisor.supervisor.connections()], []);
  assertEquals(await supervisor.supervisor.stop({ grace: 1000 }), 0);
  assertEquals(["listening", "ready", "stopped"].map((name) => supervisor.count(name as "ready")), [
    1,
    1,
    1,
  ]);
});

Deno.test("--max-connections is exact over all workers, and slots are released", async () => {
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
    const served = settled.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    assertEquals(served.length, 10);
    for (const client of served) client.close();
    await supervisor.until(() => supervisor.count("closed") === 10 * (round + 1));
  }
  await supervisor.until(() => supervisor.count("refused") === 90);
});

Deno.test("--max-per-ip counts the connections of all workers", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0?max-per-ip=5"]);
  const clients: Deno.TcpConn[] = [];
  for (let i = 0; i < 15; i++) {
    const client = await supervisor.connect();
    clients.push(client);
    await send(client, "hello\n").catch(() => {});
    await readUntil(client, /hello\n/).catch(() => {});
  }
  await supervisor.until(() => supervisor.count("opened") + supervisor.count("refused") === 15);
  assertEquals([supervisor.count("opened"), supervisor.count("refused")], [5, 10]);
  for (const client of clients) client.close();
});

Deno.test("a chat room has members in all workers", async () => {
  await using supervisor = await TestSupervisor.open(["chat://:0"]);
  const members = await Promise.all(Array.from({ length: 12 }, async () => {
    const member = await supervisor.connect();
    await readUntil(member, /welcome/);
    return member;
  }));
  // A room learns of the rooms of the same name in other workers shortly after it is opened.
  const [sender, ...others] = members;
  const received = others.map((member) => readUntil(member, /> everybody\n/));
  const speaking = setInterval(() => send(sender!, "everybody\n"), 100);
  await Promise.all(received);
  clearInterval(speaking);
  for (const member of members) member.close();
});

Deno.test("a reload applies in all workers, and keeps their connections", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0", "daytime://:0"]);
  const [client] = await answered(supervisor, 1);
  const echoPort = supervisor.port(0);
  const changes = await supervisor.supervisor.change(
    configOf(["echo://:0?max-per-ip=1", "discard://:0", "--workers", String(WORKERS)]),
  );
  assertEquals(changes, { opened: 1, closed: 1, changed: 1 });
  assertEquals([...supervisor.supervisor.outlets].map(({ name }) => name), ["echo", "discard"]);
  assertEquals(supervisor.port(0), echoPort);
  await supervisor.until(() => supervisor.count("stopped") === 1);
  await send(client!, "still\n");
  await readUntil(client!, /still\n/);
  for (let i = 0; i < 6; i++) {
    using late = await supervisor.connect();
    assertEquals(await readText(late).catch(() => ""), "");
  }
  await supervisor.until(() => supervisor.count("refused") === 6);
  client!.close();
});

Deno.test("a drain applies in all workers, and counts the connections that it aborts", async () => {
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

Deno.test("connections can be tapped, written to and closed from outside of their worker", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0"]);
  const [client] = await answered(supervisor, 1);
  const { connection: live } = [...supervisor.supervisor.connections()][0]!;
  const seen = Promise.withResolvers<string>();
  using _watch = live.tap({
    received: (bytes) => seen.resolve(new TextDecoder().decode(bytes)),
    sent() {},
  });
  // Requests are handled in order: once this is sent, the tap is attached.
  await live.write(new TextEncoder().encode("from the operator\n"));
  await readUntil(client!, /from the operator\n/);
  await send(client!, "seen\n");
  assertEquals(await seen.promise, "seen\n");
  live.close("closed by the operator");
  await supervisor.until((events) =>
    events.some((e) => e.event === "closed" && e.reason === "closed by the operator")
  );
  client!.close();
});

Deno.test("a worker that dies is replaced, and the slots of its connections are released", async () => {
  await using supervisor = await TestSupervisor.open(
    ["echo://:0", "--max-connections", "30"],
    { module: CRASHING_WORKER },
  );
  const clients = await answered(supervisor, 30);
  const { connection: target } = [...supervisor.supervisor.connections()][0]!;
  await target.write(new TextEncoder().encode("die")).catch(() => {});
  await supervisor.until(() => supervisor.count("worker-restarted") === 1);
  const died = supervisor.events.find(({ event }) => event === "worker-restarted");
  assertMatch(
    died?.event === "worker-restarted" ? died.reason : "",
    /this worker thread crashes on purpose/,
  );
  const lost = 30 - [...supervisor.supervisor.connections()].length;
  assert(lost > 0 && lost < 30);
  // The released slots can be used again, and with the new worker there are three workers.
  const before = new Set(
    [...supervisor.supervisor.connections()].map(({ connection }) => connection.worker),
  );
  assertEquals(before.size, WORKERS - 1);
  const added: Deno.TcpConn[] = [];
  while (
    new Set([...supervisor.supervisor.connections()].map(({ connection }) => connection.worker))
      .size < 3
  ) {
    // The kernel resets the connections in the accept queue of the worker that died.
    const client = await supervisor.connect().catch(() => undefined);
    if (!client) continue;
    await send(client, "hello\n").catch(() => {});
    const served = await readUntil(client, /hello\n/).then(() => true, () => false);
    if (served && added.length < lost) added.push(client);
    else client.close();
    if (added.length === lost) added.shift()?.close();
    await delay(5);
  }
  for (const client of [...clients, ...added]) client.close();
});

Deno.test("an outlet that one worker cannot open is opened in none", async () => {
  using occupant = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
  await assertRejects(
    () => TestSupervisor.open(["echo://:0", `discard://:${occupant.addr.port}`]),
    Error,
    "address already in use",
  );
  await assertRejects(
    () => TestSupervisor.open(["stdio://:0"]),
    Error,
    "there is one standard input",
  );
});
