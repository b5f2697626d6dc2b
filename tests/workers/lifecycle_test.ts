/** Changes of a server with workers are made in all workers or in none, and lose no client. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { OutletEvent } from "../../src/events/events.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { bytesOf, readUntil, send } from "../harness/bytes.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { eventually } from "../harness/eventually.ts";
import { temporaryCertificate } from "../harness/certificates.ts";
import { configOf } from "../harness/server.ts";
import { CRASHING_WORKER, TestSupervisor, WORKERS } from "../harness/supervisor.ts";

const N = ["--workers", String(WORKERS)];

/** A client that connects, is answered and disconnects; rejects if it is not answered. */
async function visit(port: number): Promise<void> {
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  await send(client, "hello\n");
  await readUntil(client, /hello\n/);
}

/** The workers that serve a port, determined with enough clients. */
async function workersAt(supervisor: TestSupervisor, port: number): Promise<Set<unknown>> {
  const clients: Deno.Conn[] = [];
  try {
    for (let i = 0; i < 40; i++) {
      const client = await Deno.connect({ hostname: "127.0.0.1", port });
      clients.push(client);
      await send(client, "hello\n");
    }
    const found = () =>
      [...supervisor.supervisor.connections()].filter(({ outlet }) =>
        "port" in outlet.address && outlet.address.port === port
      );
    await eventually(() => found().length === 40, "all clients in the list");
    return new Set(found().map(({ connection }) => connection.worker));
  } finally {
    for (const client of clients) client.close();
  }
}

/**
 * A client that was answered, with retries: a connection in the accept queue of a worker that dies
 * is reset, at times before the client knows that it was made.
 */
async function served(port: number): Promise<Deno.TcpConn> {
  for (;;) {
    using undo = new DisposableStack();
    try {
      const client = undo.use(await Deno.connect({ hostname: "127.0.0.1", port }));
      await send(client, "hello\n");
      await readUntil(client, /hello\n/);
      undo.move();
      return client;
    } catch (error) {
      // Another worker is left to accept.
      if (error instanceof Deno.errors.ConnectionRefused) throw error;
    }
  }
}

/** Ends the worker that serves a new client of this port. */
async function crashWorkerOf(supervisor: TestSupervisor, port: number): Promise<void> {
  const restarts = supervisor.count("worker-restarted");
  using client = await served(port);
  const { localAddr } = client;
  const mine = () =>
    [...supervisor.supervisor.connections()].find(({ connection: { peer } }) =>
      "port" in peer && peer.port === (localAddr as Deno.NetAddr).port
    );
  await eventually(() => mine() !== undefined);
  mine()!.connection.write(bytesOf("die")).catch(() => {});
  await supervisor.until(() => supervisor.count("worker-restarted") > restarts);
}

function names(supervisor: TestSupervisor): string[] {
  return [...supervisor.supervisor.outlets].map(({ name }) => name);
}

Deno.test("all workers accept when `listening` is published", async () => {
  const eventBus = new EventBus();
  const connects: Promise<void>[] = [];
  eventBus.subscribe((event) => {
    if (event.event !== "listening" || !("port" in event.address)) return;
    const { port } = event.address;
    for (let i = 0; i < 60; i++) connects.push(visit(port));
  });
  await using supervisor = await TestSupervisor.open(["echo://:0"], { eventBus });
  assertEquals(
    (await Promise.allSettled(connects)).filter(({ status }) => status === "rejected"),
    [],
  );
  assertEquals(connects.length, 60);
  assertEquals((await workersAt(supervisor, supervisor.port())).size, WORKERS);
});

/** The inodes of the listening sockets of a port. */
function socketsAt(port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return Deno.readTextFileSync("/proc/self/net/tcp").split("\n").flatMap((line) => {
    const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
    return local.endsWith(suffix) && state === "0A" ? [inode] : [];
  }).toSorted();
}

Deno.test({
  name:
    "each connect between the first `listening` and `ready` is served, because no bound socket is without accept",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const eventBus = new EventBus();
    const welcomed: Promise<string>[] = [];
    const sockets = new Map<number, string[]>();
    eventBus.subscribe((event) => {
      if (event.event === "listening" && "port" in event.address) {
        sockets.set(event.address.port, socketsAt(event.address.port));
      }
      if (event.event !== "listening" && event.event !== "ready") return;
      for (const port of sockets.keys()) {
        for (let i = 0; i < 12; i++) welcomed.push(greetingOf(port));
      }
    });
    await using supervisor = await TestSupervisor.open(
      ["chat://:0", "chat://:0", "chat://:0"],
      { eventBus },
    );
    assertEquals(await Promise.all(welcomed), Array(12 * (1 + 2 + 3 + 3)).fill("welcome"));
    for (const [port, atFirst] of sockets) {
      assertEquals([atFirst.length, socketsAt(port)], [WORKERS, atFirst]);
    }
    assertEquals(names(supervisor).length, 3);
  },
});

/** A new member's welcome; then it disconnects. */
async function greetingOf(port: number): Promise<string> {
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  return (await readUntil(client, /welcome/)).match(/welcome/)![0];
}

Deno.test("another service at an address publishes `listening` once, drains once, and loses no client", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0"]);
  await supervisor.supervisor.change(configOf([`echo://:${supervisor.port()}`, ...N]));
  // A client that connects before the previous outlet has closed its sockets is still accepted by
  // that.
  await supervisor.until(() => supervisor.count("stopped") === 1);
  const port = supervisor.port();
  const clients = await Promise.all(
    Array.from({ length: 12 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  await supervisor.until(() => supervisor.count("opened") === 12);
  const before = supervisor.events.length;
  await supervisor.supervisor.change(
    configOf([`discard://:${port}`, "--drain-timeout", "0", ...N]),
  );
  await supervisor.until(() =>
    supervisor.count("closed") === 12 && supervisor.count("stopped") === 2
  );
  const published = supervisor.events.slice(before).flatMap((event) =>
    event.event === "listening" || event.event === "stopped"
      ? [[event.event, event.outlet, event.event === "stopped" ? event.aborted : 0]]
      : []
  );
  assertEquals(published, [["listening", "discard", 0], ["stopped", "echo", 12]]);
  assertEquals([names(supervisor), [...supervisor.supervisor.draining]], [["discard"], []]);
  for (const client of clients) client.close();
  using client = await Deno.connect({ hostname: "127.0.0.1", port });
  const [outlet] = supervisor.supervisor.outlets;
  await eventually(() => [...outlet!.connections].length === 1);
  client.close();
  await eventually(() => [...outlet!.connections].length === 0);
});

Deno.test("a reload succeeds beside a dead worker, and its replacement joins once it can", async () => {
  await using certificate = await temporaryCertificate();
  const tls = `time://:0?tls&tls-cert=${certificate.file}`;
  await using supervisor = await TestSupervisor.open(["echo://:0", tls], {
    module: CRASHING_WORKER,
  });
  const port = supervisor.port();
  await certificate.break();
  await crashWorkerOf(supervisor, port);
  // The replacement cannot read the certificate, and has bound nothing, so no client is reset.
  await supervisor.until(() => supervisor.count("worker-restarted") >= 3);
  for (let i = 0; i < 200; i++) await visit(port);
  // A reload with the broken certificate is refused; without it, all living workers take part.
  await assertRejects(() =>
    supervisor.supervisor.change(configOf(["echo://:0", tls, "echo://:0?rate=1000", ...N]))
  );
  assertEquals(names(supervisor), ["echo", "time"]);
  const changed = await supervisor.supervisor.change(
    configOf(["echo://:0", "echo://127.0.0.1:0?max-per-ip=100", ...N]),
  );
  assertEquals(changed, { opened: 1, closed: 1, changed: 0 });
  assertEquals(names(supervisor), ["echo", "echo"]);
  await visit(supervisor.port(1));
  await eventually(
    async () => (await workersAt(supervisor, supervisor.port(1))).size === WORKERS,
    "the successor at the new port",
  );
  assertEquals((await workersAt(supervisor, port)).size, WORKERS);
});

/** A server whose workers are all dead, with replacements that start when the test lets them. */
async function withoutWorkers(args = ["echo://:0"], { before = () => {} } = {}) {
  const { promise, resolve: startReplacements } = Promise.withResolvers<void>();
  const supervisor = await TestSupervisor.open(args, {
    module: CRASHING_WORKER,
    wait: (_, { signal }) => {
      const stopped = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => stopped.resolve());
      return Promise.race([promise, stopped.promise]);
    },
  });
  before();
  for (let dead = 0; dead < WORKERS; dead++) await crashWorkerOf(supervisor, supervisor.port());
  return { supervisor, startReplacements };
}

Deno.test("a reload while every worker is dead waits for one, and is applied in all that join", async () => {
  const { supervisor: test, startReplacements } = await withoutWorkers();
  await using supervisor = test;
  const changes = Promise.all([
    supervisor.supervisor.change(configOf(["echo://:0", "echo://:0?max-per-ip=100", ...N])),
    supervisor.supervisor.open(configOf(["echo://:0"]).outlets[0]!),
  ]);
  startReplacements();
  await changes;
  assertEquals(names(supervisor), ["echo", "echo", "echo"]);
  for (const at of [0, 1, 2]) {
    await eventually(
      async () => (await workersAt(supervisor, supervisor.port(at))).size === WORKERS,
      "all workers at each port",
    );
  }
});

Deno.test("a server stopped while a reload waits for a worker stops, and the reload is refused", async () => {
  const { supervisor: { supervisor } } = await withoutWorkers();
  const changed = supervisor.change(configOf(["daytime://:0", ...N]));
  await eventually(() => supervisor.state === "reloading");
  const refused = assertRejects(() => changed, Error, "the server is stopping");
  assertEquals(await supervisor.stop({ grace: 0 }), 0);
  await refused;
  assertEquals([...supervisor.outlets], []);
});

Deno.test("a restart replaces all workers, also that of a Unix socket, and refuses no client", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/echo.sock`;
  await using test = await TestSupervisor.open([`echo+unix://${path}?mode=600`, "echo://:0"]);
  const before = await workersAt(test, test.port(1));
  let isDone = false;
  const faults: string[] = [];
  let answered = 0;
  const loop = async () => {
    while (!isDone && faults.length === 0) {
      try {
        using client = await Deno.connect({ transport: "unix", path });
        await client.write(bytesOf("hello\n"));
        await readUntil(client, /hello\n/);
        answered++;
      } catch (error) {
        faults.push(String(error));
      }
    }
  };
  const loops = [loop(), loop()];
  assertEquals(await test.supervisor.restart({ grace: 5_000 }), 0);
  const then = answered;
  await eventually(() => answered > then + 10, "clients of the new worker");
  isDone = true;
  await Promise.all(loops);
  assertEquals(faults, []);
  const after = await workersAt(test, test.port(1));
  assertEquals([after.size, [...after].some((worker) => before.has(worker))], [WORKERS, false]);
  assertEquals(test.count("worker-restarted"), WORKERS);
  assertEquals(Deno.lstatSync(path).mode! & 0o777, 0o600);
  const [opened] = test.events.filter((event) => event.event === "opened" && "path" in event.local);
  assertEquals(opened?.event === "opened" && opened.local, { path });
  await test.supervisor.stop({ grace: 0 });
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

/** The answer of the echo outlet at a path. */
async function answerAt(path: string): Promise<string> {
  using client = await Deno.connect({ transport: "unix", path });
  await client.write(bytesOf("hello\n"));
  return await readUntil(client, /\n/);
}

Deno.test("a Unix socket's file is removed when its worker dies, and created again by the next one", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/echo.sock`;
  const files = () => Array.from(Deno.readDirSync(folder.path), ({ name }) => name);
  const args = ["echo://:0", `echo+unix://${path}`];
  const { supervisor: stopped } = await withoutWorkers(args);
  assertEquals(files(), []);
  await stopped.supervisor.stop({ grace: 0 });
  assertEquals(files(), []);
  const { supervisor: served, startReplacements } = await withoutWorkers(args);
  startReplacements();
  await eventually(() => answerAt(path).then(() => true, () => false), "an answer");
  await served.supervisor.stop({ grace: 0 });
  assertEquals(files(), []);
});

Deno.test("a Unix socket's file is not removed if another program listens at the path by then", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/echo.sock`;
  const args = ["echo://:0", `echo+unix://${path}`];
  const stack = new DisposableStack();
  const takeOver = () => {
    Deno.removeSync(path);
    stack.use(Deno.listen({ transport: "unix", path }));
  };
  const { supervisor } = await withoutWorkers(args, { before: takeOver });
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
  await supervisor.supervisor.stop({ grace: 0 });
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
  stack.dispose();
});

Deno.test("a Unix socket in use by another program is not replaced", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/taken.sock`;
  using _occupant = Deno.listen({ transport: "unix", path });
  const files = () => Array.from(Deno.readDirSync(folder.path), ({ name }) => name);
  await assertRejects(() => TestSupervisor.open([`echo+unix://${path}`]), Error, "listen");
  assertEquals(files(), ["taken.sock"]);
});

Deno.test("concurrently opened outlets are all opened and listed", async () => {
  const supervisor = await TestSupervisor.open(["echo://:0"]);
  const [one, two] = configOf(["discard://:0", "chargen://:0"]).outlets;
  const opened = (await Promise.all([
    supervisor.supervisor.open(one!),
    supervisor.supervisor.open(two!),
  ])).flat();
  assertEquals(opened.map(({ name }) => name), ["discard", "chargen"]);
  assertEquals(names(supervisor), ["echo", "discard", "chargen"]);
  await supervisor.supervisor.close(opened[0]!, { grace: 0 });
  assertEquals(names(supervisor), ["echo", "chargen"]);
  await supervisor.supervisor.stop({ grace: 0 });
  await assertRejects(() => supervisor.supervisor.open(one!), Error, "the server has stopped");
  assertEquals(count(supervisor.events, "listening"), count(supervisor.events, "stopped"));
});

Deno.test("a change that one worker cannot make is made in none", async () => {
  await using supervisor = await TestSupervisor.open(["echo://:0"]);
  using occupant = Deno.listen({ hostname: "127.0.0.1", port: 0, reusePort: true });
  const before = supervisor.events.length;
  await assertRejects(
    () =>
      supervisor.supervisor.change(
        configOf(["echo://:0?rate=9", "time://:0", `discard://:${occupant.addr.port}`, ...N]),
      ),
    Error,
    "address already in use",
  );
  assertEquals([names(supervisor), supervisor.events.length], [["echo"], before]);
  for (let i = 0; i < 30; i++) await visit(supervisor.port());
  assert(supervisor.supervisor.state === "ready");
});

function count(events: readonly OutletEvent[], name: OutletEvent["event"]): number {
  return events.filter(({ event }) => event === name).length;
}
