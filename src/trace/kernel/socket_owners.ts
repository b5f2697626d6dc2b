/**
 * Finds the processes that hold a socket, in /proc. Without root, only the user's own processes are
 * readable.
 *
 * @module
 */

/** Names of the processes that hold these sockets, such as `nginx[17]`, by inode. */
export function socketOwners(inodes: ReadonlySet<number>): Map<number, string> {
  const owners = new Map<number, string>();
  for (const pid of inodes.size === 0 ? [] : processes()) {
    const owned = socketsOf(pid).filter((inode) => inodes.has(inode));
    if (owned.length === 0) continue;
    const name = `${nameOf(pid)}[${pid}]`;
    for (const inode of owned) {
      const before = owners.get(inode);
      owners.set(inode, before === undefined || before === name ? name : `${before},${name}`);
    }
  }
  return owners;
}

/** Reads from /proc; returns `otherwise` if the process has ended or is not readable. */
function readOr<T>(look: () => T, otherwise: T): T {
  try {
    return look();
  } catch {
    return otherwise;
  }
}

function processes(): string[] {
  const entries = readOr(() => [...Deno.readDirSync("/proc")], []);
  return entries.map(({ name }) => name).filter((name) => /^\d+$/.test(name));
}

function socketsOf(pid: string): number[] {
  const directory = `/proc/${pid}/fd`;
  const entries = readOr(() => [...Deno.readDirSync(directory)], []);
  const inodes = new Set<number>();
  for (const { name } of entries) {
    const target = readOr(() => Deno.readLinkSync(`${directory}/${name}`), "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.add(Number(inode));
  }
  return [...inodes];
}

function nameOf(pid: string): string {
  return readOr(() => Deno.readTextFileSync(`/proc/${pid}/comm`), "?").trim();
}
