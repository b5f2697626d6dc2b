/**
 * Memory of idle connections, and how much of it is released.
 *
 * @module
 */
import { echoes, OUTLET, outlet } from "./recipes.ts";
import { available, type Recipe, Subject } from "./subject.ts";
import { figure, type Section } from "./table.ts";
import type { BenchTools } from "./tools.ts";

const CONNECTIONS = 10_000;

/** outlet's goal in KB per connection. */
const GOAL = 8;

/** The time before memory is read, in milliseconds, which runtimes need to release it. */
const SETTLE_TIME = 18_000;

/**
 * Holds the same number of connections with each server, after one round trip each, and reads its
 * memory.
 */
export async function idleMemory(workshop: BenchTools): Promise<Section> {
  const { rivals } = echoes(workshop, {});
  const { here, missing } = available([
    outlet(workshop, (port) => [`echo://:${port}`]),
    ...rivals.filter(({ name }) => ["C, epoll", "bare Deno loop", "Node pipe"].includes(name)),
  ]);
  const rows = [];
  for (const recipe of here) rows.push(await measure(recipe, workshop));
  return {
    title: `idle memory: ${
      CONNECTIONS.toLocaleString("en-US")
    } connections that have said one word`,
    notes: [
      "Resident memory of the server; what the kernel keeps for its sockets is not in it. " +
      "Afterwards: once all have gone, and once as many have come and gone again.",
      ...missing.length > 0 ? [`Left out: ${missing.join("; ")}.`] : [],
    ],
    head: ["server", "empty MB", "full MB", "KB each", "afterwards MB", "again MB"],
    rows,
  };
}

async function measure(recipe: Recipe, workshop: BenchTools): Promise<string[]> {
  await using subject = await Subject.start(recipe);
  await settle();
  const empty = subject.residentBytes;
  const full = await filled(subject, workshop);
  const after = subject.residentBytes;
  await filled(subject, workshop);
  const each = (full - empty) / CONNECTIONS / 1024;
  return [
    recipe.name,
    megabytes(empty),
    megabytes(full),
    recipe.name === OUTLET ? atMost(each, GOAL) : figure(each),
    megabytes(after),
    megabytes(subject.residentBytes),
  ];
}

/** The memory while all connections are open; they are closed when it resolves. */
async function filled(subject: Subject, workshop: BenchTools): Promise<number> {
  const holder = new Deno.Command(workshop.path("hold"), {
    args: [String(subject.port), String(CONNECTIONS), "spoken"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = holder.stdout.getReader();
  await reader.read();
  await settle();
  const full = subject.residentBytes;
  await holder.stdin.close();
  await reader.cancel();
  await holder.status;
  await settle();
  return full;
}

function atMost(value: number, bound: number): string {
  return `${figure(value)}, ${value <= bound ? "reaches" : "misses"} ≤ ${bound}`;
}

function megabytes(bytes: number): string {
  return figure(bytes / 1e6);
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_TIME));
}
