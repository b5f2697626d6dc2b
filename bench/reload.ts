/**
 * Counts connections that a server loses while it starts, reloads, restarts its workers, and when a
 * worker dies, as seen by a client in another process. Exits with 1 if one was lost that should not
 * have been:
 *
 *     deno task reload:load            needs gcc; in a network namespace of its own: unshare -n sh -c 'ip link set lo up; …'
 *
 * @module
 */
import { parseServerArgs } from "../src/cli/server_args.ts";
import type { ServerConfig } from "../src/config/server_config.ts";
import { EventBus } from "../src/events/event_bus.ts";
import { Supervisor } from "../src/workers/supervisor.ts";
import { BenchTools } from "./tools.ts";

const WORKERS = 3;
const RELOADS = 50;
const IN_FLIGHT = "16";
/** The number of connections that are open when a worker dies. */
const OPEN_CONNECTIONS = 30;
/** The pause between reloads, in milliseconds. */
const PAUSE = 50;
const MIGRATES = "/proc/sys/net/ipv4/tcp_migrate_req";

/** The config of `outlet server WORDS… --workers 3`. */
function configOf(...args: string[]): ServerConfig {
  const command = parseServerArgs([...args, "--workers", String(WORKERS)]);
  if ("config" in command) return command.config;
  throw new Error("no file was named");
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

using workshop = await BenchTools.open();

/** Runs a client process that connects repeatedly during `work`, and returns its results. */
async function underLoad(
  what: string,
  port: number,
  happen: () => Promise<unknown>,
  mayLose: (keyof ClientResults)[] = [],
): Promise<void> {
  const client = new Deno.Command(workshop.path("reconnects"), {
    args: [String(port), IN_FLIGHT],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  await pause(200);
  await happen();
  await pause(200);
  await client.stdin.close();
  const text = new TextDecoder().decode((await client.output()).stdout).trim();
  console.log(what.padEnd(44), text);
  const { answered, ...faults } = JSON.parse(text) as ClientResults;
  for (const [name, count] of Object.entries(faults) as [keyof ClientResults, number][]) {
    if (count > 0 && !mayLose.includes(name)) fail(`${what}: ${count} ${name}`);
  }
  if (answered === 0) fail(`${what}: nobody was answered`);
}

/** A client's results. */
type ClientResults = Record<"answered" | "late" | "refused" | "reset" | "ended" | "other", number>;

const failures: string[] = [];

function fail(what: string): void {
  failures.push(what);
}

/** Whether a client is still answered. */
async function isAnswered(client: Deno.TcpConn): Promise<boolean> {
  try {
    await client.write(new TextEncoder().encode("hello\n"));
    const answer = new Uint8Array(64);
    // The worker ends when it is to send this word to the client.
    for (let length = 0; length < 6;) {
      const read = await client.read(answer);
      if (read === null) return false;
      length += read;
    }
    return true;
  } catch {
    return false;
  }
}

/** Ends the worker of one client, and checks which other clients have lost their connections. */
async function killWorker(port: number): Promise<void> {
  const clients = await Promise.all(
    Array.from({ length: OPEN_CONNECTIONS }, () => Deno.connect({ hostname: "127.0.0.1", port })),
  );
  await Promise.all(clients.map(isAnswered));
  const workerOf = (client: Deno.TcpConn) =>
    [...supervisor.connections()].find(({ connection: { peer } }) =>
      "port" in peer && peer.port === client.localAddr.port
    )?.connection;
  while (!clients.every(workerOf)) await pause(10);
  const target = workerOf(clients[0]!)!;
  const own = new Set(clients.filter((client) => workerOf(client)!.worker === target.worker));
  const died = Promise.withResolvers<void>();
  using _ = eventBus.subscribe(({ event }) => event === "worker-restarted" && died.resolve());
  target.write(new TextEncoder().encode("die")).catch(() => {});
  await died.promise;
  for (const client of clients) {
    if (own.has(client) === await isAnswered(client)) {
      fail(own.has(client) ? "who was with the dead worker is answered" : "another client is lost");
    }
    client.close();
  }
  console.log(`  of ${OPEN_CONNECTIONS} connections ${own.size} were with the worker that died`);
  // By then its replacement serves clients.
  await pause(2_000);
}

/** Resolves once closed outlets have closed their sockets, and all clients reach the open ones. */
async function drained(): Promise<void> {
  while ([...supervisor.draining].length > 0) await pause(10);
}

const eventBus = new EventBus();
const loads: Promise<void>[] = [];
const ready = Promise.withResolvers<void>();
const subscription = eventBus.subscribe((event) => {
  if (event.event !== "listening" || event.outlet !== "echo" || !("port" in event.address)) return;
  loads.push(underLoad("a start, from `listening` on", event.address.port, () => ready.promise));
});
const supervisor = await Supervisor.open(configOf("echo://:0"), {
  workers: WORKERS,
  eventBus,
  // Its workers end if they are to send `die`.
  module: new URL("../tests/harness/crashing_worker.ts", import.meta.url),
});
ready.resolve();
await Promise.all(loads);
subscription[Symbol.dispose]();
const { port } = [...supervisor.outlets][0]!.address as { port: number };
await supervisor.change(configOf(`echo://:${port}`));
await drained();

await underLoad(`${RELOADS} reloads: service, TLS beside it, limits`, port, async () => {
  for (let i = 0; i < RELOADS; i++) {
    const service = i % 2 === 0 ? "qotd" : "echo";
    const tls = i % 3 === 0 ? ["time://:0?tls&tls-self-signed"] : [];
    await supervisor.change(configOf(`${service}://:${port}?max-per-ip=${1_000 + i}`, ...tls));
    await pause(PAUSE);
  }
});
await supervisor.change(configOf(`echo://:${port}`));
await drained();

const migrates = await Deno.readTextFile(MIGRATES).then((text) => text.trim(), () => "?");
await underLoad(`a restart of every worker, tcp_migrate_req=${migrates}`, port, async () => {
  for (let i = 0; i < 5; i++) await supervisor.restart({ grace: 5_000 });
  // Without it, the kernel resets connections during the handshake.
}, migrates === "1" ? [] : ["reset"]);
await underLoad("a worker that is killed", port, () => killWorker(port), ["reset", "ended"]);
await supervisor.stop({ grace: 0 });
for (const failure of failures) console.error(failure);
Deno.exit(failures.length === 0 ? 0 : 1);
