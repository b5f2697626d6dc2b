/**
 * A process as the kernel sees it: descriptors, memory, listening ports.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { eventually, settled } from "./eventually.ts";

const MEGABYTE = 1024 * 1024;

/** Megabytes that a process may keep after hundreds were sent to it. */
const MEMORY_TOLERANCE = 64;

/** The number of its open descriptors. */
export function descriptorsOf(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Whether it runs; a process that has ended and is not waited for does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** The last process of the line that starts here: its first child, that one's, and so on. */
export function lastChildOf(pid: number): number {
  const [child] = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).split(" ");
  return child ? lastChildOf(Number(child)) : pid;
}

/** Its resident memory in bytes. */
export function memoryOf(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kilobytes) * 1024;
}

/** The resources of an idle process, to be compared with those after a test. */
export class ResourceUsage {
  readonly #pid: number;
  readonly #descriptors: number;
  readonly #memory: number;

  private constructor(pid: number, descriptors: number) {
    this.#pid = pid;
    this.#descriptors = descriptors;
    this.#memory = memoryOf(pid);
  }

  /** Measured once the number of descriptors is stable. */
  static async of(pid: number): Promise<ResourceUsage> {
    return new ResourceUsage(pid, await settled(() => descriptorsOf(pid)));
  }

  /** Resolves once it has no more resources than before; memory may be some megabytes larger. */
  async isRestored(): Promise<void> {
    const now = () => ({ descriptors: descriptorsOf(this.#pid), memory: memoryOf(this.#pid) });
    const before = { descriptors: this.#descriptors, memory: this.#memory };
    const isBack = () => {
      const { descriptors, memory } = now();
      return descriptors <= before.descriptors &&
        memory < before.memory + MEMORY_TOLERANCE * MEGABYTE;
    };
    await eventually(isBack).catch(() => assertEquals(now(), before, "it is not given back"));
  }
}

/** The TCP ports on which it listens over IPv4. */
export function portsOf(pid: number): number[] {
  const inodes = new Set(
    [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => inodeOf(`/proc/${pid}/fd/${name}`)),
  );
  const LISTEN = "0A";
  const rows = Deno.readTextFileSync(`/proc/${pid}/net/tcp`).split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === LISTEN && inodes.has(inode!));
  return [...new Set(rows.map(([, local]) => parseInt(local!.split(":")[1]!, 16)))];
}

/** The inode of a socket; `undefined` for other descriptors and closed ones. */
function inodeOf(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(path))?.[1];
  } catch {
    return undefined;
  }
}
