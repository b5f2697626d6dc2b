/**
 * Runs the whole suite repeatedly beside busy loops, to find tests that fail rarely:
 * `deno task test:stress [--runs 10] [--loops 2] [PATH …]`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { ROOT } from "./harness/program.ts";

const { runs, loops, _: paths } = parseArgs(Deno.args, { string: ["runs", "loops"] });
const suite = paths.length > 0 ? paths.map(String) : ["tests"];
const burners = Array.from(
  { length: Number(loops ?? 2) },
  () => new Deno.Command(Deno.execPath(), { args: ["eval", "for (;;);"] }).spawn(),
);

let failed = 0;
try {
  for (let run = 1; run <= Number(runs ?? 10); run++) {
    const start = performance.now();
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--parallel", ...suite],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`run ${run}: ${success ? "passed" : "FAILED"} in ${seconds} s`);
    if (success) continue;
    failed++;
    const log = `${ROOT}dist/stress-${run}.log`;
    await Deno.mkdir(`${ROOT}dist`, { recursive: true });
    await Deno.writeFile(log, new Uint8Array(await new Blob([stdout, stderr]).arrayBuffer()));
    console.log(`  what it printed: ${log}`);
  }
} finally {
  for (const burner of burners) burner.kill("SIGKILL");
  await Promise.all(burners.map(({ status }) => status));
}
console.log(failed === 0 ? "none failed" : `${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);
