/**
 * Upstreams are checked by one worker, all workers know their health, and a change is reported
 * once.
 */
import { assertEquals } from "@std/assert";
import type { HealthReport, WorkerPort } from "../../src/workers/messages.ts";
import { HealthTable } from "../../src/workers/health_table.ts";
import { Leadership } from "../../src/workers/leadership.ts";
import type { RemoteConnection } from "../../src/workers/remote.ts";
import type { Supervisor } from "../../src/workers/supervisor.ts";
import { bytesOf, readText, send } from "../harness/bytes.ts";
import { eventually } from "../harness/eventually.ts";
import { freePort } from "../harness/ports.ts";
import { configOf } from "../harness/server.ts";
import { CRASHING_WORKER, TestSupervisor } from "../harness/supervisor.ts";

const WORKERS = 2;
const LOCAL = { hostname: "127.0.0.1" };

/** A client that sends this is kept open instead of answered. */
const KEEP_OPEN = bytesOf("!");

/** An upstream that counts connections without data, and answers others with its name. */
class Upstream implements AsyncDisposable {
  /** The number of connections without data, which are health checks. */
  checks = 0;
  readonly #listener: Deno.TcpListener;
  readonly #served: Promise<void>;

  constructor(readonly name: string) {
    this.#listener = Deno.listen({ ...LOCAL, port: 0 });
    this.#served = this.#serve();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #serve(): Promise<void> {
    const serving: Promise<void>[] = [];
    try {
      for (;;) serving.push(this.#answer(await this.#listener.accept()));
    } catch {
      await Promise.all(serving);
    }
  }

  async #answer(client: Deno.TcpConn): Promise<void> {
    using _ = client;
    const buffer = new Uint8Array(100);
    const length = await client.read(buffer).catch(() => null);
    if (length === null) this.checks++;
    else if (buffer[0] === KEEP_OPEN[0]) await client.read(buffer).catch(() => {});
    else await send(client, this.name).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#served;
  }
}

/** The answers to this many clients. */
async function answersTo(supervisor: Supervisor, count: number): Promise<string[]> {
  const [outlet] = supervisor.outlets;
  const { port } = outlet!.address as { port: number };
  return await Promise.all(Array.from({ length: count }, async () => {
    using client = await Deno.connect({ ...LOCAL, port });
    await send(client, "hello");
    return await readText(client);
  }));
}

/**
 * The server's side of a client; `undefined` if it was in the accept queue of a worker that died,
 * and was reset.
 * `ended` settles when the client has read everything.
 */
async function connectionOf(
  client: Deno.TcpConn,
  { test, ended }: { test: TestSupervisor; ended: Promise<unknown> },
): Promise<RemoteConnection | undefined> {
  const { port } = client.localAddr;
  const found = () =>
    [...test.supervisor.connections()].find(({ connection: { peer } }) =>
      "port" in peer && peer.port === port
    );
  let isDone = false;
  const onEnd = () => void (isDone = true);
  ended.then(onEnd, onEnd);
  await eventually(() => isDone || found() !== undefined, "the server's side of a client");
  return found()?.connection;
}

/** Tries again also if the client was in the accept queue of a worker that died, and was reset. */
function eventuallyServed(attempt: () => Promise<boolean>, what?: string): Promise<void> {
  return eventually(() =>
    attempt().catch((error) => {
      if (error instanceof Deno.errors.ConnectionReset) return false;
      throw error;
    }), what);
}

/** The answers to as many clients as it takes until each worker has served one. */
async function answersOfAll(test: TestSupervisor): Promise<Set<string>> {
  const served = new Set<unknown>();
  const answers = new Set<string>();
  await eventuallyServed(async () => {
    using client = await test.connect();
    const answer = readText(client);
    const connection = await connectionOf(client, { test, ended: answer });
    if (!connection) return false;
    await send(client, "hello");
    answers.add(await answer);
    served.add(connection.worker);
    return served.size === WORKERS;
  }, "a client of every worker");
  return answers;
}

/** Ends one worker. */
async function kill(test: TestSupervisor, matches: (index: number) => boolean): Promise<void> {
  const restarts = test.count("worker-restarted");
  await eventuallyServed(async () => {
    using client = await test.connect();
    const ended = readText(client).catch(() => "");
    await client.write(KEEP_OPEN);
    const connection = await connectionOf(client, { test, ended });
    if (!connection || !matches(connection.worker.index)) return false;
    connection.write(bytesOf("die")).catch(() => {});
    return true;
  });
  await test.until(() => test.count("worker-restarted") > restarts);
}

Deno.test("an upstream is checked by one worker, and by another one after that has died", async () => {
  await using upstream = new Upstream("alive");
  await using test = await TestSupervisor.open(
    [`forward://:0?to=127.0.0.1:${upstream.port}&check=1h`],
    { module: CRASHING_WORKER, workers: WORKERS },
  );
  // If each worker checked, it would have done so before it accepted clients.
  assertEquals(await answersOfAll(test), new Set(["alive"]));
  assertEquals(upstream.checks, 1);
  await kill(test, (index) => index === 0);
  // The other worker checks at once, and so does the replacement of the first when it takes over.
  await eventually(() => upstream.checks === 3, "two more checks");
  assertEquals(await answersOfAll(test), new Set(["alive"]));
  await kill(test, (index) => index !== 0);
  assertEquals(await answersOfAll(test), new Set(["alive"]));
  assertEquals(upstream.checks, 3);
});

Deno.test("an upstream's failure and its recovery are each reported once, by whichever worker detects it", async () => {
  const port = freePort();
  await using steady = new Upstream("steady");
  await using test = await TestSupervisor.open(
    [`forward://:0?to=127.0.0.1:${port}&to=127.0.0.1:${steady.port}`],
    { workers: WORKERS },
  );
  // All workers detect it at the same time.
  assertEquals(new Set(await answersTo(test.supervisor, 40)), new Set(["steady"]));
  await test.until(() => test.count("failed") > 0);
  const failures = test.events.flatMap((event) => event.event === "failed" ? [event.reason] : []);
  // A worker whose later attempt failed too has reported that with another text.
  assertEquals(new Set(failures).size, failures.length, failures.join("; "));
  const listener = Deno.listen({ ...LOCAL, port });
  const accepting = (async () => {
    for await (const client of listener) {
      await send(client, "back").catch(() => {});
      client.close();
    }
  })();
  await eventually(async () => (await answersTo(test.supervisor, 4)).includes("back"));
  await answersTo(test.supervisor, 40);
  assertEquals(test.count("recovered"), 1);
  listener.close();
  await accepting;
});

Deno.test("what one worker learns about an upstream is known to all, including those that join later", async () => {
  await using first = new Upstream("first");
  await using second = new Upstream("second");
  const ports: WorkerPort[] = [];
  const module = CRASHING_WORKER;
  await using test = await TestSupervisor.open(
    [`forward://:0?to=127.0.0.1:${first.port}&to=127.0.0.1:${second.port}&balance=first`],
    {
      workers: WORKERS,
      spawn: () => ports[ports.push(new Worker(module, { type: "module" }) as WorkerPort) - 1]!,
    },
  );
  const report = (failures: number): HealthReport => ({
    outlet: 1,
    name: `127.0.0.1:${first.port}`,
    failures,
    text: `failed ${failures} times`,
  });
  const tell = (failures: number) =>
    ports[0]!.onmessage!({ data: { type: "health", report: report(failures) } });
  assertEquals(await answersOfAll(test), new Set(["first"]));
  // After this many failures, no worker uses it for half a minute.
  for (let failures = 1; failures <= 8; failures++) tell(failures);
  assertEquals(await answersOfAll(test), new Set(["second"]));
  await kill(test, (index) => index === 1);
  assertEquals(await answersOfAll(test), new Set(["second"]));
  tell(0);
  assertEquals(await answersOfAll(test), new Set(["first"]));
  assertEquals([test.count("failed"), test.count("recovered")], [8, 1]);
});

Deno.test("of equal reports by two workers, only the first is accepted", () => {
  const table = new HealthTable();
  const accept = (failures: number) =>
    table.accept({ outlet: 1, name: "upstream", failures, text: "" });
  assertEquals([1, 1, 2, 1, 0, 0, 1].map(accept), [true, false, true, false, true, false, true]);
  assertEquals(table.all, [{ outlet: 1, name: "upstream", failures: 1 }]);
  table.keep({ ...configOf(["echo://:0"]), outlets: [] });
  assertEquals(table.all, []);
});

Deno.test("the leader runs work that is added before or later, and stops it when another worker leads", () => {
  const leadership = new Leadership();
  const started: AbortSignal[] = [];
  const stopped = new AbortController();
  const lasting = new AbortController();
  leadership.whileLeading(stopped.signal, (signal) => started.push(signal));
  assertEquals(started.length, 0);
  leadership.set(true);
  leadership.set(true);
  leadership.whileLeading(lasting.signal, (signal) => started.push(signal));
  assertEquals(started.map(({ aborted }) => aborted), [false, false]);
  stopped.abort();
  assertEquals(started.map(({ aborted }) => aborted), [true, false]);
  leadership.set(false);
  leadership.set(true);
  assertEquals(started.map(({ aborted }) => aborted), [true, true, false]);
});
