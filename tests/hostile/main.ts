/**
 * Floods every surface of a server, one after the other, for ten minutes in all, and prints the
 * effect on a client of an echo outlet: `deno task hostile [--minutes N] [--only WORD] [--bundle]
 * [-- ARGUMENTS OF THE SERVER]`, such as
 * `-- --workers 2`. With `--bundle` the server is the bundle of `deno task bundle`;
 * `OUTLET_BINARY=PATH` names any other.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { formatSize } from "../../src/options/quantity.ts";
import { flood } from "./flood.ts";
import { SURFACES } from "./floods.ts";
import { FloodedServer } from "./flooded_server.ts";

const args = parseArgs(Deno.args, {
  string: ["minutes", "only"],
  boolean: ["bundle"],
  "--": true,
});
const only = args.only ?? "";

const subject = await FloodedServer.start(args["--"], { bundle: args.bundle });
const floods = SURFACES.filter(({ name }) => subject.targets.has(name))
  .flatMap(({ name, floods }) => floods.map((kind) => ({ surface: name, kind })))
  .filter(({ surface, kind }) => `${surface} ${kind}`.includes(only));
const seconds = Number(args.minutes ?? 10) * 60 / floods.length;
const before = { memory: subject.memory, descriptors: subject.descriptors };

console.log(`${floods.length} floods of ${seconds.toFixed(1)} s each`);
console.log(
  row([
    "surface",
    "flood",
    "echoes",
    "median ms",
    "p99 ms",
    "max ms",
    "loop ms",
    "failed",
    "memory",
  ]),
);
let failed = 0;
let worst = 0;
for (const { surface, kind } of floods) {
  const result = await flood(subject, { surface, kind, seconds });
  const { roundTrips, median, p99, longest, loopDelay, failures, memory } = result;
  const times = [median, p99, longest, loopDelay].map((time) => time.toFixed(1));
  console.log(
    row([surface, kind, String(roundTrips), ...times, String(failures.length), formatSize(memory)]),
  );
  for (const failure of new Set(failures)) console.log(`  ${failure}`);
  failed += failures.length;
  worst = Math.max(worst, p99);
}

const unexpected = await subject.metric("outlet_unexpected_errors_total") ?? NaN;
console.log(
  `worst p99 ${worst.toFixed(1)} ms (goal: 250 on a quiet machine), ${failed} failures, ` +
    `${unexpected} unexpected errors`,
);
console.log(
  `memory ${formatSize(before.memory)} → ${formatSize(subject.memory)}, ` +
    `descriptors ${before.descriptors} → ${subject.descriptors}`,
);
await subject[Symbol.asyncDispose]();
Deno.exit(failed === 0 && unexpected === 0 ? 0 : 1);

function row(cells: readonly string[]): string {
  const [surface = "", kind = "", ...figures] = cells;
  return surface.padEnd(20) + kind.padEnd(20) + figures.map((cell) => cell.padStart(11)).join("");
}
