/**
 * What the system tells of a process and of what it started: processor time and memory.
 *
 * @module
 */

/** How many ticks a second the kernel counts processor time in (`getconf CLK_TCK`, 100 on Linux). */
const TICKS = 100;

/** What `/proc/PID/stat` says, as far as it matters here. */
interface Stat {
  readonly parent: number;
  /** Seconds of processor time, with those of its children that have ended and were waited for. */
  readonly seconds: number;
}

/** Processor time in seconds, of a process and of all that it has started, whether it still runs or not. */
export function processorSeconds(pid: number): number {
  return tree(pid).reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Resident memory in bytes, of a process and of all that it has started and that still runs. */
export function residentBytes(pid: number): number {
  return tree(pid).reduce((sum, { pid }) => sum + residentOf(pid), 0);
}

/** The process and everyone below it who still runs. */
function tree(root: number): (Stat & { pid: number })[] {
  const all = [...Deno.readDirSync("/proc")].filter(({ name }) => /^\d+$/.test(name))
    .flatMap(({ name }) => {
      const stat = statOf(Number(name));
      return stat ? [{ ...stat, pid: Number(name) }] : [];
    });
  const children = Map.groupBy(all, ({ parent }) => parent);
  const below = (pid: number): typeof all =>
    (children.get(pid) ?? []).flatMap((child) => [child, ...below(child.pid)]);
  return [...all.filter(({ pid }) => pid === root), ...below(root)];
}

function statOf(pid: number): Stat | undefined {
  try {
    // The name in parentheses may hold spaces; what follows it is fields 3 and on of proc(5).
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /s, "").split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return { parent: Number(fields[1]), seconds: ticks / TICKS };
  } catch {
    return undefined;
  }
}

function residentOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
