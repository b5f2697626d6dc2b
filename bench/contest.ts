/**
 * Compares servers of the same kind under the same load.
 *
 * @module
 */
import { type Load, LoadError, median, type Sample, sample, spread } from "./measure.ts";
import { available, type Recipe, Subject } from "./subject.ts";
import { figure, type Goal, ratio, type Section } from "./table.ts";
import type { BenchTools } from "./tools.ts";

/** A server to compare with outlet, and the ratio that outlet should reach. */
export interface Competitor extends Recipe {
  readonly goal?: Goal | undefined;
  /** The ratio of processor time that outlet should reach. */
  readonly costGoal?: Goal;
  /** Its own load, if it cannot handle that of the others. */
  readonly load?: Load;
}

/** outlet and other servers under one load. */
export interface Comparison {
  readonly title: string;
  /** What is counted per second, such as `round trips`. */
  readonly unit: string;
  readonly load: Load;
  readonly ours: Recipe;
  readonly rivals: readonly Competitor[];
  /** Whether servers are restarted for each round, because some do not survive one. */
  readonly restarts?: boolean;
}

/** Runs all installed servers in turn, round after round. */
export async function run(
  { title, unit, load, ours, rivals, restarts = false }: Comparison,
  { rounds, workshop }: { rounds: number; workshop: BenchTools },
): Promise<Section> {
  const { here, missing } = available([ours, ...rivals]);
  const samples = new Map<string, Sample[]>(here.map(({ name }) => [name, []]));
  const failures = new Map<string, string>();
  const loadOf = (name: string) => rivals.find((rival) => rival.name === name)?.load ?? load;
  const drive = async (subject: Subject) => {
    try {
      const load = loadOf(subject.name);
      samples.get(subject.name)!.push(await sample(subject, { load, workshop }));
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      failures.set(subject.name, error.message);
    }
  };
  await using stack = new AsyncDisposableStack();
  const running: Subject[] = [];
  if (!restarts) {
    for (const recipe of here) {
      running.push(stack.use(await Subject.start(recipe)));
    }
  }
  // The first round warms up compilers and caches, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const [i, recipe] of here.entries()) {
      if (restarts) {
        await using subject = await Subject.start(recipe);
        await drive(subject);
      } else {
        await drive(running[i]!);
      }
    }
    if (round === 0) { for (const all of samples.values()) all.length = 0; }
  }
  return {
    title,
    notes: [
      ...missing.length > 0 ? [`Left out: ${missing.join("; ")}.`] : [],
      ...[...failures].map(([name, why]) => `${name} failed: ${why}.`),
    ],
    head: [
      "server",
      `${unit}/s`,
      "spread",
      `CPU µs`,
      "p99 µs",
      "ours ÷ its rate",
      "ours ÷ its CPU",
    ],
    rows: here.map(({ name }) => row(name, { samples, ours: ours.name, rivals })),
  };
}

function row(
  name: string,
  { samples, ours, rivals }: {
    samples: ReadonlyMap<string, readonly Sample[]>;
    ours: string;
    rivals: readonly Competitor[];
  },
): string[] {
  const own = samples.get(name)!;
  if (own.length === 0) return [name, "–", "–", "–", "–", "–", "–"];
  const middle = (who: string, key: keyof Sample) =>
    median(samples.get(who)!.map((sample) => sample[key]));
  const share = (key: keyof Sample) => middle(ours, key) / middle(name, key);
  const { goal, costGoal } = rivals.find((rival) => rival.name === name) ?? {};
  return [
    name,
    figure(middle(name, "rate")),
    spread(own.map(({ rate }) => rate)),
    figure(middle(name, "cost")),
    middle(name, "p99") > 0 ? figure(middle(name, "p99")) : "–",
    name === ours ? "" : ratio(share("rate"), goal),
    name === ours ? "" : ratio(share("cost"), costGoal),
  ];
}
