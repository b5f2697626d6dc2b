/**
 * Datagrams that the kernel has dropped because the receive buffer of a socket was full.
 *
 * @module
 */
import { formatAddress, type UdpAddress, withoutZone } from "../endpoint/address.ts";
import { parseDatagramDrops } from "../trace/kernel/parse_sockets.ts";

/** The kernel's tables of UDP sockets (proc(5)). */
const TABLES = ["/proc/net/udp", "/proc/net/udp6"];

/** Counts the drops of some sockets at one port. */
export class ReceiveDrops {
  readonly #locals: () => readonly UdpAddress[];
  #before: Promise<ReadonlyMap<number, number>>;

  /** Counts from now on. `locals` returns the addresses of the sockets. */
  constructor(locals: () => readonly UdpAddress[]) {
    this.#locals = locals;
    this.#before = this.#read();
  }

  /** The number of drops since the last call; 0 where there is no /proc. */
  async take(): Promise<number> {
    const before = await this.#before;
    const now = await this.#read();
    this.#before = Promise.resolve(now);
    let sum = 0;
    for (const [inode, drops] of now) sum += Math.max(0, drops - (before.get(inode) ?? 0));
    return sum;
  }

  /** The drops of each socket, by inode. */
  async #read(): Promise<ReadonlyMap<number, number>> {
    const locals = this.#locals();
    const names = new Set(locals.map(localText));
    const port = locals[0]?.port ?? 0;
    const tables = await Promise.all(
      TABLES.map((table) => Deno.readTextFile(table).catch(() => "")),
    );
    return new Map(
      tables.flatMap((text) => parseDatagramDrops(text, port))
        .filter(({ local }) => names.has(local))
        .map(({ inode, drops }) => [inode, drops]),
    );
  }
}

function localText({ hostname, port }: UdpAddress): string {
  return formatAddress({ hostname: withoutZone(hostname), port });
}
