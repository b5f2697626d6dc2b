/**
 * Two network namespaces joined by a veth pair, for tests in which the kernel loses segments.
 *
 * @module
 */
import { run } from "../harness/program.ts";

/** A client and a server namespace. Disposing removes both. */
export class TwoMachines implements AsyncDisposable {
  readonly clientAddress = "10.77.0.1";
  readonly serverAddress = "10.77.0.2";
  readonly #client: string;
  readonly #server: string;
  #behind: string | undefined;

  private constructor() {
    // Test files run in parallel in one process.
    const name = `otr-${crypto.randomUUID().slice(0, 8)}`;
    this.#client = `${name}-c`;
    this.#server = `${name}-s`;
  }

  /** Creates and connects both namespaces. */
  static async make(): Promise<TwoMachines> {
    const machines = new TwoMachines();
    const client = machines.#client;
    const server = machines.#server;
    await ip("netns", "add", client);
    await ip("netns", "add", server);
    const peer = ["type", "veth", "peer", "name", "wire", "netns", server];
    await ip("link", "add", "wire", "netns", client, ...peer);
    await machines.#setUp(client, machines.clientAddress);
    await machines.#setUp(server, machines.serverAddress);
    return machines;
  }

  async #setUp(namespace: string, address: string): Promise<void> {
    await ip("-n", namespace, "address", "add", `${address}/24`, "dev", "wire");
    await ip("-n", namespace, "link", "set", "wire", "up");
    await ip("-n", namespace, "link", "set", "lo", "up");
  }

  /** Command line to run a program in the client's namespace. */
  onClient(...args: string[]): [string, ...string[]] {
    return ["ip", "netns", "exec", this.#client, ...args];
  }

  /** Command line to run a program in the server's namespace. */
  onServer(...args: string[]): [string, ...string[]] {
    return ["ip", "netns", "exec", this.#server, ...args];
  }

  /** Makes the server's kernel drop all segments to the client. */
  async dropAnswers(): Promise<void> {
    await ip("-n", this.#server, "route", "add", "blackhole", this.clientAddress);
  }

  /** Undoes {@linkcode dropAnswers}. */
  async letAnswersPass(): Promise<void> {
    await ip("-n", this.#server, "route", "del", "blackhole", this.clientAddress);
  }

  /** Makes the client's kernel drop all incoming packets, after tcpdump has captured them. */
  async dropArrivals(): Promise<void> {
    await ip("-n", this.#client, "rule", "add", "pref", "5", "iif", "wire", "blackhole");
    await ip("-n", this.#client, "rule", "add", "pref", "10", "lookup", "local");
    await ip("-n", this.#client, "rule", "del", "pref", "0");
  }

  /** Undoes {@linkcode dropArrivals}. */
  async letArrivalsPass(): Promise<void> {
    await ip("-n", this.#client, "rule", "del", "pref", "5");
  }

  /** Makes the server a router that answers "host unreachable" for a network. */
  async routeToNowhere(network: string): Promise<void> {
    await run(this.onServer("sysctl", "-q", "-w", "net.ipv4.ip_forward=1"));
    await ip("-n", this.#server, "route", "add", "unreachable", network);
    await ip("-n", this.#client, "route", "add", network, "via", this.serverAddress);
  }

  /** Adds an iptables rule. */
  async addRule(machine: "client" | "server", ...rule: string[]): Promise<void> {
    const args = machine === "client" ? this.onClient("iptables") : this.onServer("iptables");
    const { code, stderr } = await run([...args, ...rule] as [string, ...string[]]);
    if (code !== 0) throw new Error(`iptables ${rule.join(" ")}: ${stderr}`);
  }

  /** Adds an unreachable route on the client. */
  async routeNowhere(network: string): Promise<void> {
    await ip("-n", this.#client, "route", "add", "unreachable", network);
  }

  /** Connects both namespaces by a tunnel with addresses of its own. */
  async addTunnel(kind: string, ...options: string[]): Promise<void> {
    const ends = [
      [this.#client, this.clientAddress, this.serverAddress, "10.78.0.1"],
      [this.#server, this.serverAddress, this.clientAddress, "10.78.0.2"],
    ] as const;
    for (const [namespace, local, remote, inside] of ends) {
      const device = ["link", "add", "tunnel", "type", kind, ...options];
      const args = device.map((word) =>
        word === "LOCAL" ? local : word === "REMOTE" ? remote : word
      );
      await ip("-n", namespace, ...args);
      await ip("-n", namespace, "address", "add", `${inside}/24`, "dev", "tunnel");
      await ip("-n", namespace, "link", "set", "tunnel", "up");
    }
  }

  /** Adds a third namespace, to which the server routes IPv4 and IPv6 from the client. */
  async addMachineBehind(): Promise<MachineBehind> {
    const [client, router, behind] = [this.#client, this.#server, `${this.#server}b`];
    await ip("netns", "add", behind);
    this.#behind = behind;
    const peer = ["type", "veth", "peer", "name", "wire", "netns", behind];
    await ip("link", "add", "back", "netns", router, ...peer);
    await run(this.onServer("sysctl", "-qw", "net.ipv4.ip_forward=1"));
    await run(this.onServer("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"));
    const addresses = [
      [client, "wire", "fd77::1/64"],
      [router, "wire", "fd77::2/64"],
      [router, "back", "10.79.0.1/24"],
      [router, "back", "fd79::1/64"],
      [behind, "wire", "10.79.0.2/24"],
      [behind, "wire", "fd79::2/64"],
    ] as const;
    for (const [namespace, device, address] of addresses) {
      const isVersion6 = address.includes(":");
      const args = isVersion6 ? [address, "nodad"] : [address];
      await ip("-n", namespace, "address", "add", ...args, "dev", device);
      await ip("-n", namespace, "link", "set", device, "up");
    }
    await ip("-n", behind, "link", "set", "lo", "up");
    const routers = [[client, this.serverAddress, "fd77::2"], [
      behind,
      "10.79.0.1",
      "fd79::1",
    ]] as const;
    for (const [namespace, ...addresses] of routers) {
      for (const address of addresses) {
        const family = address.includes(":") ? "-6" : "-4";
        await ip("-n", namespace, family, "route", "add", "default", "via", address);
      }
    }
    return {
      addresses: ["10.79.0.2", "fd79::2"],
      on: (...args) => ["ip", "netns", "exec", behind, ...args],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await ip("netns", "del", this.#client);
    await ip("netns", "del", this.#server);
    if (this.#behind !== undefined) await ip("netns", "del", this.#behind);
  }
}

/** A namespace behind the server. */
export interface MachineBehind {
  /** Its IPv4 and IPv6 addresses. */
  readonly addresses: readonly [string, string];
  /** Command line to run a program in it. */
  on(...args: string[]): [string, ...string[]];
}

/**
 * Adds an nftables rule that rejects a port with a TCP reset; `onMachine` builds the command line.
 */
export async function rejectByNft(
  { port, hook }: { port: number; hook: "input" | "forward" },
  onMachine: (...args: string[]) => [string, ...string[]],
): Promise<void> {
  const rules = `table inet filter {
    chain ${hook} {
      type filter hook ${hook} priority 0;
      tcp dport ${port} reject with tcp reset;
    }
  }
  `;
  const { code, stderr } = await run(onMachine("nft", "-f", "-"), { stdin: rules });
  if (code !== 0) throw new Error(`nft: ${stderr}`);
}

async function ip(...args: string[]): Promise<void> {
  const { code, stderr } = await run(["ip", ...args]);
  if (code !== 0) throw new Error(`ip ${args.join(" ")}: ${stderr}`);
}
