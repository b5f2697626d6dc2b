/**
 * Whom a server loses while it starts, reloads, and restarts its workers, counted by a client in another process:
 *
 *     deno task reload:load            needs gcc; in a network namespace of its own: unshare -n sh -c 'ip link set lo up; …'
 *
 * @module
 */
import { parseServerArgs } from "../src/cli/server_args.ts";
import type { ServerConfig } from "../src/config/server_config.ts";
import { EventBus } from "../src/events/event_bus.ts";
import { Supervisor } from "../src/workers/supervisor.ts";
import { Workshop } from "./tools.ts";

const WORKERS = 3;
const RELOADS = 50;
const IN_FLIGHT = "16";
/** How long a reload is left alone before the next, in milliseconds. */
const PAUSE = 50;
const MIGRATES = "/proc/sys/net/ipv4/tcp_migrate_req";

/** What `outlet server WORDS… --workers 3` is asked to be. */
function configOf(...words: string[]): ServerConfig {
  const command = parseServerArgs([...words, "--workers", String(WORKERS)]);
  if ("config" in command) return command.config;
  throw new Error("no file was named");
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

using workshop = await Workshop.open();

/** Has a client of its own process connect over and over while something happens, and tells what it met. */
async function underLoad(
  what: string,
  port: number,
  happen: () => Promise<unknown>,
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
  console.log(what.padEnd(44), new TextDecoder().decode((await client.output()).stdout).trim());
}

/** Resolves once what was open before has closed its sockets: who connects there is no client of what is open now. */
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
const supervisor = await Supervisor.open(configOf("echo://:0"), { workers: WORKERS, eventBus });
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
});
await supervisor.stop({ grace: 0 });
