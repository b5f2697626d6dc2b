/**
 * What the kernel says of a process: its descriptors, its memory, where it listens.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { eventually, settled } from "./eventually.ts";

const MEGABYTE = 1024 * 1024;

/** Megabytes that a process may keep of hundreds that were sent to it. */
const KEPT = 64;

/** How many descriptors it has open. */
export function descriptorsOf(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** How many bytes of it are in memory. */
export function memoryOf(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kilobytes) * 1024;
}

/** What a process has while nobody is at it, to be compared with what it has afterwards. */
export class Footprint {
  readonly #pid: number;
  readonly #descriptors: number;
  readonly #memory: number;

  private constructor(pid: number, descriptors: number) {
    this.#pid = pid;
    this.#descriptors = descriptors;
    this.#memory = memoryOf(pid);
  }

  /** Takes it once as many descriptors are open for some looks. */
  static async of(pid: number): Promise<Footprint> {
    return new Footprint(pid, await settled(() => descriptorsOf(pid)));
  }

  /** Resolves once the process has no more than then; memory may be some megabytes more. */
  async isBack(): Promise<void> {
    const now = () => ({ descriptors: descriptorsOf(this.#pid), memory: memoryOf(this.#pid) });
    const before = { descriptors: this.#descriptors, memory: this.#memory };
    const isBack = () => {
      const { descriptors, memory } = now();
      return descriptors <= before.descriptors && memory < before.memory + KEPT * MEGABYTE;
    };
    await eventually(isBack).catch(() => assertEquals(now(), before, "it is not given back"));
  }
}

/** The TCP ports of IPv4 that it listens at. */
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

/** The inode of a socket; none of what is something else, or closed by now. */
function inodeOf(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(path))?.[1];
  } catch {
    return undefined;
  }
}
