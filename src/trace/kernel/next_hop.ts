/**
 * Route and neighbour of an address, by ip(8).
 *
 * @module
 */

/** The next hop to an address. */
export interface NextHop {
  /** Address of the next hop: the destination itself, or a router. */
  readonly address: string;
  /** Outgoing interface. */
  readonly device: string;
  /** Whether address resolution has failed (RFC 826, RFC 4861). */
  readonly isUnresolved: boolean;
}

/** The next hop; `undefined` without a route or without ip(8). */
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

async function askIp(...args: string[]): Promise<Record<string, unknown>[]> {
  try {
    const command = new Deno.Command("ip", { args: ["-j", ...args], stderr: "null" });
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
