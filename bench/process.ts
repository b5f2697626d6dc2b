/**
 * Processor time and memory of a process and its descendants.
 *
 * @module
 */

/** Clock ticks per second of processor times (`getconf CLK_TCK`, 100 on Linux). */
const TICKS = 100;

/** The used fields of `/proc/PID/stat`. */
interface Stat {
  readonly parent: number;
  /** Processor time in seconds, including children that have ended and were waited for. */
  readonly seconds: number;
}

/** Processor time in seconds of a process and all its descendants, including ended ones. */
export function processorSeconds(pid: number): number {
  return tree(pid).reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Resident memory in bytes of a process and its running descendants. */
export function residentBytes(pid: number): number {
  return tree(pid).reduce((sum, { pid }) => sum + residentOf(pid), 0);
}

/** The process and its running descendants. */
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
    // The name in parentheses may contain spaces; fields 3 and on of proc(5) follow it.
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
