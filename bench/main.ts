/**
 * What outlet costs, beside its peers: each that is installed is started, all are driven in turn, and the tables go
 * to the terminal and to `bench/results.md`.
 *
 *     deno task bench [WORD …]      only the sections whose titles hold one of the words; writes no file
 *
 * @module
 */
import { run } from "./contest.ts";
import { contests } from "./contests.ts";
import { burst } from "./burst.ts";
import { describeMachine, quietness } from "./machine.ts";
import { idleMemory } from "./memory.ts";
import { startUp } from "./start.ts";
import { Subject } from "./subject.ts";
import { format, type Section } from "./table.ts";
import { BENCH, Workshop } from "./tools.ts";

const ROUNDS = 5;
const SECONDS = 1.5;

const wanted = Deno.args.map((word) => word.toLowerCase());
using workshop = await Workshop.open();
await using upstream = await Subject.start({
  name: "upstream",
  command: (port) => [workshop.path("echo"), String(port)],
});

const started = quietness();
const sections: Section[] = [];
for await (const section of measure()) {
  console.log(format(section));
  sections.push(section);
}
if (wanted.length === 0) {
  await Deno.writeTextFile(
    `${BENCH}results.md`,
    [await describeMachine({ rounds: ROUNDS, seconds: SECONDS, started }), ...sections.map(format)]
      .join("\n"),
  );
}

async function* measure(): AsyncGenerator<Section> {
  for (const contest of contests(workshop, { seconds: SECONDS, upstream: upstream.port })) {
    if (isWanted(contest.title)) yield await run(contest, { rounds: ROUNDS, workshop });
  }
  if (isWanted("idle memory")) yield await idleMemory(workshop);
  if (isWanted("burst")) yield await burst(workshop, { rounds: ROUNDS });
  if (isWanted("start")) yield await startUp(workshop);
}

function isWanted(title: string): boolean {
  return wanted.length === 0 || wanted.some((word) => title.toLowerCase().includes(word));
}
