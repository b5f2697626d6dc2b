/**
 * Compares outlet with similar programs. Each installed one is started, all are measured in turn,
 * and the tables are printed and written to `bench/results.md`.
 *
 *     deno task bench [WORD …]      measures only sections with one of the words in their titles; others are kept
 *
 * @module
 */
import { run } from "./contest.ts";
import { comparisons } from "./contests.ts";
import { burst } from "./burst.ts";
import { describeMachine, loadAverages } from "./machine.ts";
import { idleMemory } from "./memory.ts";
import { startUp } from "./start.ts";
import { Subject } from "./subject.ts";
import { format, type Section } from "./table.ts";
import { BENCH, BenchTools } from "./tools.ts";

const RESULTS = `${BENCH}results.md`;
const ROUNDS = 5;
const SECONDS = 1.5;

const wanted = Deno.args.map((word) => word.toLowerCase());
using workshop = await BenchTools.open();
await using upstream = await Subject.start({
  name: "upstream",
  command: (port) => [workshop.path("echo"), String(port)],
});

const started = loadAverages();
const measured = new Map<string, string>();
for await (const section of measure()) {
  console.log(format(section));
  measured.set(section.title, format(section));
}
await Deno.writeTextFile(RESULTS, wanted.length === 0 ? await allAnew() : await mergedResults());

async function allAnew(): Promise<string> {
  const head = await describeMachine({ rounds: ROUNDS, seconds: SECONDS, started });
  return [head, ...measured.values()].join("\n");
}

/** The results, with newly measured sections in place of those with the same titles. */
async function mergedResults(): Promise<string> {
  const [head = "", ...sections] = (await Deno.readTextFile(RESULTS)).split(/^(?=### )/m);
  const titleOf = (section: string) => section.slice("### ".length, section.indexOf("\n"));
  return head +
    sections.map((section) => measured.get(titleOf(section)) ?? section.trimEnd() + "\n")
      .join("\n");
}

async function* measure(): AsyncGenerator<Section> {
  for (const contest of comparisons(workshop, { seconds: SECONDS, upstream: upstream.port })) {
    if (isWanted(contest.title)) yield await run(contest, { rounds: ROUNDS, workshop });
  }
  if (isWanted("idle memory")) yield await idleMemory(workshop);
  if (isWanted("burst")) yield await burst(workshop, { rounds: ROUNDS });
  if (isWanted("start")) yield* startUp(workshop);
}

function isWanted(title: string): boolean {
  return wanted.length === 0 || wanted.some((word) => title.toLowerCase().includes(word));
}
