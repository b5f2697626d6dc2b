/**
 * Whose a socket is: the processes that hold it open, as /proc tells it. Without root, only one's own.
 *
 * @module
 */

/** The names of the processes that hold these sockets open, such as `nginx[17]`, by inode. */
export function socketOwners(inodes: ReadonlySet<number>): Map<number, string> {
  const owners = new Map<number, string>();
  for (const pid of inodes.size === 0 ? [] : processes()) {
    const held = socketsOf(pid).filter((inode) => inodes.has(inode));
    if (held.length === 0) continue;
    const name = `${nameOf(pid)}[${pid}]`;
    for (const inode of held) {
      const before = owners.get(inode);
      owners.set(inode, before === undefined || before === name ? name : `${before},${name}`);
    }
  }
  return owners;
}

/** Processes come and go, and most are not ours to look at: what cannot be read is passed over. */
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
  const folder = `/proc/${pid}/fd`;
  const entries = readOr(() => [...Deno.readDirSync(folder)], []);
  const inodes = new Set<number>();
  for (const { name } of entries) {
    const target = readOr(() => Deno.readLinkSync(`${folder}/${name}`), "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.add(Number(inode));
  }
  return [...inodes];
}

function nameOf(pid: string): string {
  return readOr(() => Deno.readTextFileSync(`/proc/${pid}/comm`), "?").trim();
}
