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
  readonly #port: number;
  readonly #locals: Set<string>;
  #before: Promise<ReadonlyMap<number, number>>;

  /** Counts from now on. */
  constructor(addresses: readonly UdpAddress[]) {
    this.#port = addresses[0]?.port ?? 0;
    this.#locals = new Set(addresses.map(localText));
    this.#before = this.#read();
  }

  /** Adds a socket. */
  add(address: UdpAddress): void {
    this.#locals.add(localText(address));
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
    const texts = await Promise.all(
      TABLES.map((table) => Deno.readTextFile(table).catch(() => "")),
    );
    return new Map(
      texts.flatMap((text) => parseDatagramDrops(text, this.#port))
        .filter(({ local }) => this.#locals.has(local))
        .map(({ inode, drops }) => [inode, drops]),
    );
  }
}

function localText({ hostname, port }: UdpAddress): string {
  return formatAddress({ hostname: withoutZone(hostname), port });
}
