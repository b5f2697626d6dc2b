/**
 * The machine and the software of the measurements.
 *
 * @module
 */
import { isInstalled } from "./tools.ts";

/** The command that prints each program's version. */
const VERSIONS: readonly (readonly [tool: string, ...args: string[]])[] = [
  ["node", "--version"],
  ["gcc", "--version"],
  ["haproxy", "-v"],
  ["ncat", "--version"],
  ["socat", "-V"],
];

/** The load averages of 1, 5 and 15 minutes. */
export function loadAverages(): string {
  return Deno.loadavg().map((load) => load.toFixed(2)).join(", ");
}

/** The head of the results. */
export async function describeMachine(
  { rounds, seconds, started }: { rounds: number; seconds: number; started: string },
): Promise<string> {
  const memory = Math.round(Deno.systemMemoryInfo().total / 2 ** 30);
  const versions = await Promise.all(VERSIONS.map(versionOf));
  return `# What was measured

Written by \`deno task bench\`. ${navigator.hardwareConcurrency} cores (${model()}), ${memory} GiB, Linux ${Deno.osRelease()},
which carry the load, the server and everything else. Load average when it began: ${started}; when it ended: ${loadAverages()}
(over 1, 5 and 15 minutes; the bench itself keeps about two threads busy).

Deno ${Deno.version.deno} (V8 ${Deno.version.v8}); ${
    versions.filter((version) => version !== "").join("; ")
  }.

Each server is driven for ${seconds} s in turn, ${rounds} rounds after one that is thrown away; figures are medians, and the spread is
that of all rounds. What is in one table was measured in one run; single tables may be of a later one. Answers are compared with what was sent, byte by byte, while measuring. CPU is processor time of the server for
each unit, user and system, with that of what it started and reaped (a peer that leaves its dead children to the kernel
looks cheaper than it is). Outlet runs with console and metrics on and events in a file; its peers log nothing.
`;
}

async function versionOf([tool, ...args]: readonly [string, ...string[]]): Promise<string> {
  if (!isInstalled(tool)) return "";
  const { stdout, stderr } = await new Deno.Command(tool, { args }).output();
  const text = new TextDecoder().decode(stdout.length > 0 ? stdout : stderr);
  return `${tool} ${/\bv?(\d+\.\d+[\w.-]*)/.exec(text)?.[1] ?? "of unknown version"}`;
}

function model(): string {
  const info = Deno.readTextFileSync("/proc/cpuinfo");
  return /^model name\s*:\s*(.*)$/m.exec(info)?.[1] ?? Deno.build.arch;
}
