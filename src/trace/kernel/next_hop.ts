/**
 * What the kernel knows of the way to an address, as ip(8) tells it.
 *
 * @module
 */

/** The first step on the way to an address. */
export interface NextHop {
  /** The machine that has to take the packet: the address itself, or a router. */
  readonly address: string;
  /** The interface on which it is. */
  readonly device: string;
  /** Whether nobody there has answered to that address (RFC 826, RFC 4861). */
  readonly isUnresolved: boolean;
}

/** The first step on the way, where there is one and `ip` is there to ask. */
export async function nextHopOf(address: string): Promise<NextHop | undefined> {
  const [plain = address] = address.split("%");
  const [route] = await askIp("route", "get", plain);
  const device = textOf(route?.dev);
  if (device === undefined) return undefined;
  const hop = textOf(route?.gateway) ?? plain;
  const [neighbour] = await askIp("neigh", "show", "to", hop, "dev", device);
  const states = Array.isArray(neighbour?.state) ? neighbour.state : [];
  const isUnresolved = states.includes("FAILED") || states.includes("INCOMPLETE");
  return { address: hop, device, isUnresolved };
}

async function askIp(...words: string[]): Promise<Record<string, unknown>[]> {
  try {
    const command = new Deno.Command("ip", { args: ["-j", ...words], stderr: "null" });
    const { stdout } = await command.output();
    const answer: unknown = JSON.parse(new TextDecoder().decode(stdout));
    return Array.isArray(answer) ? answer : [];
  } catch {
    return [];
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
