/**
 * Histories with real workers: threads that are ended, sockets of the kernel, and concurrent
 * changes.
 *
 *     deno task model:workers [HISTORIES [FIRST]]
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { formatAddress } from "../../src/endpoint/address.ts";
import { bytesOf, readUntil, send } from "../harness/bytes.ts";
import { configOf } from "../harness/server.ts";
import { CRASHING_WORKER, TestSupervisor, WORKERS } from "../harness/supervisor.ts";
import { Scheduler } from "./scheduler.ts";

const HOST = "127.88.0.1";
const PORTS = [31_001, 31_002, 31_003, 31_009];
const OCCUPIED = 31_009;
/** Time limit for workers to join, in milliseconds: on a busy machine a thread starts slowly. */
const TIME_LIMIT = 120_000;
const SPECS = ["echo", "daytime", "echo", "exec"];

/** `exec` of a missing program represents every failure of the preflight. */
function specOf(service: string, port: number): string {
  return service === "exec"
    ? `exec://${HOST}:${port}?run=/no/such/program`
    : `${service}://${HOST}:${port}`;
}

function configFor(specs: readonly string[]) {
  return configOf([...specs, "--drain-timeout", "0", "--workers", String(WORKERS)]);
}

function canBeHad(spec: string): boolean {
  return !spec.startsWith("exec") && !spec.endsWith(String(OCCUPIED));
}

function listed({ supervisor }: TestSupervisor): string[] {
  return [...supervisor.outlets].map(({ name, address }) => `${name}://${formatAddress(address)}`);
}

/** Ends the worker of one client. */
async function kill(supervisor: TestSupervisor): Promise<void> {
  const [outlet] = supervisor.supervisor.outlets;
  if (!outlet || !("port" in outlet.address) || outlet.name !== "echo") return;
  const { hostname, port } = outlet.address;
  using client = await Deno.connect({ hostname, port }).catch(() => undefined);
  if (!client) return;
  await send(client, "hello\n").catch(() => {});
  await readUntil(client, /hello/).catch(() => {});
  for (const { connection } of supervisor.supervisor.connections()) {
    connection.write(bytesOf("die")).catch(() => {});
    break;
  }
}

async function history(seed: number): Promise<void> {
  const chance = new Scheduler(seed);
  const random = () =>
    PORTS.filter(() => chance.below(2) === 0).slice(0, 3).map((port) =>
      specOf(chance.pick(SPECS), port)
    );
  let expected = [specOf("echo", PORTS[0]!)];
  await using supervisor = await TestSupervisor.open([
    ...expected,
    "--drain-timeout",
    "0",
  ], { module: CRASHING_WORKER });
  for (let round = 0; round < 4; round++) {
    const asked = Array.from({ length: 1 + chance.below(3) }, random)
      .filter((specs) => specs.length > 0);
    const changes = asked.map((specs) => supervisor.supervisor.change(configFor(specs)));
    const death = chance.below(2) === 0 ? kill(supervisor) : undefined;
    const outcomes = await Promise.allSettled(changes);
    await death;
    for (const [at, outcome] of outcomes.entries()) {
      const specs = asked[at]!;
      if (outcome.status === "fulfilled") {
        assertEquals(specs.filter((spec) => !canBeHad(spec)), [], "it was made, and cannot be");
        expected = specs;
      } else {
        assertEquals(specs.every(canBeHad), false, `not made: ${outcome.reason.message}`);
      }
    }
    assertEquals(listed(supervisor), expected);
  }
  for (const { address } of supervisor.supervisor.outlets) await allAccept(address as Deno.NetAddr);
  await supervisor.supervisor.stop({ grace: 0 });
  assertEquals(supervisor.count("listening"), supervisor.count("stopped"));
  assertEquals(supervisor.count("opened"), supervisor.count("closed"));
}

/** Resolves once each worker has a listening socket at this address. */
async function allAccept({ port }: Deno.NetAddr): Promise<void> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")} `;
  const listening = async () =>
    (await Deno.readTextFile("/proc/self/net/tcp")).split("\n")
      .filter((row) => row.includes(suffix) && / 0A /.test(row)).length;
  const end = performance.now() + TIME_LIMIT;
  for (let count = await listening(); count !== WORKERS; count = await listening()) {
    if (performance.now() > end) throw new Error(`${count} sockets listen at ${port}`);
    await delay(10);
  }
}

if (import.meta.main) {
  const [count = 100, first = 1] = Deno.args.map(Number);
  using _occupant = Deno.listen({ hostname: HOST, port: OCCUPIED });
  for (let seed = first; seed < first + count; seed++) {
    try {
      await history(seed);
    } catch (error) {
      console.error(`history ${seed}: ${error}`);
      Deno.exit(1);
    }
  }
  console.log(`${count} histories over ${WORKERS} real workers came out as they should`);
  Deno.exit(0);
}
