/**
 * `outlet trace --summary` and `tshark -q -z conv,tcp` on the same captures, in turn.
 *
 *     deno run -A bench/trace.ts [--rounds=3] [--packets=1000000]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type SyntheticCapture, writeSyntheticCapture } from "./synthetic_capture.ts";

const MAIN = new URL("../main.ts", import.meta.url).pathname;

/** The interval at which a program's peak memory is read, in milliseconds. */
const SAMPLE_INTERVAL = 10;

interface Measurement {
  readonly seconds: number;
  readonly peakMegabytes: number;
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    packets: { type: "string", default: "1000000" },
  },
});
const packets = Number(values.packets);
const shapes: SyntheticCapture[] = [
  { packets, packetsPerFlow: 50, concurrent: 500 },
  { packets, packetsPerFlow: 1000, concurrent: 100 },
];

for (const shape of shapes) {
  const directory = await Deno.makeTempDir();
  try {
    const file = `${directory}/synthetic.pcap`;
    writeSyntheticCapture(file, shape);
    const size = (await Deno.stat(file)).size / 1e6;
    console.log(
      `\n${packets.toLocaleString("en-US")} packets, ${size.toFixed(0)} MB, ` +
        `connections of ${shape.packetsPerFlow} packets`,
    );
    await compare(file);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function compare(file: string): Promise<void> {
  const outlet: Measurement[] = [];
  const tshark: Measurement[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    outlet.push(
      await measure(Deno.execPath(), ["run", "-A", MAIN, "trace", "--read", file, "--summary"]),
    );
    tshark.push(await measure("tshark", ["-q", "-z", "conv,tcp", "-r", file]));
  }
  console.log("                    seconds   packets/s   peak MB");
  report("outlet trace", outlet);
  report("tshark", tshark);
  const times = median(tshark, "seconds") / median(outlet, "seconds");
  console.log(`outlet is ${times.toFixed(1)} times as fast`);
}

function report(name: string, measurements: readonly Measurement[]): void {
  const seconds = median(measurements, "seconds");
  console.log(
    [
      name.padEnd(16),
      seconds.toFixed(2).padStart(10),
      Math.round(packets / seconds).toLocaleString("en-US").padStart(11),
      median(measurements, "peakMegabytes").toFixed(0).padStart(9),
    ].join(" "),
  );
}

function median(measurements: readonly Measurement[], field: keyof Measurement): number {
  const sorted = measurements.map((measurement) => measurement[field]).toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

async function measure(command: string, args: string[]): Promise<Measurement> {
  const start = performance.now();
  const child = new Deno.Command(command, { args, stdout: "null", stderr: "null" }).spawn();
  let peak = 0;
  const timer = setInterval(() => peak = Math.max(peak, peakOf(child.pid)), SAMPLE_INTERVAL);
  const { success } = await child.status;
  clearInterval(timer);
  if (!success) throw new Error(`${command} failed`);
  return { seconds: (performance.now() - start) / 1000, peakMegabytes: peak };
}

/** A process's peak resident memory, as the kernel reports it. */
function peakOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1000;
  } catch {
    return 0;
  }
}
