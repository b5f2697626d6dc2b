/**
 * Ten thousand connects in a row: the time until all are established, and the connections that the
 * kernel dropped.
 *
 * @module
 */
import { median, spread } from "./measure.ts";
import { OUTLET, outlet } from "./recipes.ts";
import { deno, type Recipe, Subject } from "./subject.ts";
import { figure, ratio, type Section } from "./table.ts";
import type { BenchTools } from "./tools.ts";

const CONNECTIONS = 10_000;

/** The time that servers get to close the connections of a burst, in milliseconds. */
const SETTLE_TIME = 1_500;

/** Runs both servers in turn. */
export async function burst(
  workshop: BenchTools,
  { rounds }: { rounds: number },
): Promise<Section> {
  const recipes: Recipe[] = [
    outlet(workshop, (port) => [`echo://:${port}`]),
    {
      name: "bare Deno, default backlog",
      command: (port) => deno("subjects/bare_echo.ts", port),
    },
  ];
  const samples = new Map(recipes.map(({ name }) => [name, [] as Burst[]]));
  for (const recipe of recipes) {
    await using subject = await Subject.start(recipe);
    // The first round warms up and is not counted, as everywhere, but its losses are reported.
    for (let round = 0; round <= rounds; round++) {
      samples.get(recipe.name)!.push(await measure(subject, workshop));
      await new Promise((resolve) => setTimeout(resolve, SETTLE_TIME));
    }
  }
  const cold = recipes.map(({ name }) => `${samples.get(name)!.shift()!.dropped} by ${name}`);
  const middle = (name: string) => median(samples.get(name)!.map(({ seconds }) => seconds));
  return {
    title: `burst: ${CONNECTIONS.toLocaleString("en-US")} connects, one right after the other`,
    notes: [
      "Dropped: ListenDrops of the whole network namespace during the bursts, over all rounds. " +
      `In the burst that a server was started for, and that is not in the table: ${
        cold.join(", ")
      }.`,
    ],
    head: ["server", "seconds", "spread", "p99 ms", "dropped", "ours ÷ its time"],
    rows: recipes.map(({ name }) => [
      name,
      figure(middle(name)),
      spread(samples.get(name)!.map(({ seconds }) => seconds)),
      figure(median(samples.get(name)!.map(({ p99 }) => p99)) / 1000),
      String(samples.get(name)!.reduce((sum, { dropped }) => sum + dropped, 0)),
      name === OUTLET ? "" : ratio(middle(OUTLET) / middle(name), { most: 0.3 }),
    ]),
  };
}

interface Burst {
  readonly seconds: number;
  readonly p99: number;
  readonly dropped: number;
}

async function measure(subject: Subject, workshop: BenchTools): Promise<Burst> {
  const before = listenDrops();
  const { success, stdout, stderr } = await new Deno.Command(workshop.path("hold"), {
    args: [String(subject.port), String(CONNECTIONS), "silent"],
    stdin: "null",
  }).output();
  if (!success) throw new Error(`${subject.name}: ${new TextDecoder().decode(stderr)}`);
  const { seconds, p99 } = JSON.parse(new TextDecoder().decode(stdout));
  return { seconds, p99, dropped: listenDrops() - before };
}

function listenDrops(): number {
  const [names = [], values = []] = Deno.readTextFileSync("/proc/net/netstat").split("\n")
    .filter((line) => line.startsWith("TcpExt:")).map((line) => line.split(" "));
  return Number(values[names.indexOf("ListenDrops")]);
}
