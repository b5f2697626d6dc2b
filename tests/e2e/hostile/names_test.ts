/**
 * A name server that does not answer, in a mount namespace with a resolv.conf that names only it.
 */
import { assert } from "@std/assert";
import { type AttackedServer, type AttackSetup, testAttack } from "../../harness/attacked.ts";
import { readText, send } from "../../harness/bytes.ts";
import { eventually } from "../../harness/eventually.ts";
import { ResettingClient } from "../../harness/resetting_client.ts";

/** The number of clients whose name is not answered. */
const CLIENTS = 200;

/** A server whose names are asked of a silent name server. */
const SILENT = {
  needs: ["unshare", "mount", "sh"],
  wrapper: ({ folder }: AttackSetup) =>
    [
      ...["unshare", "-m", "sh", "-c"] as const,
      'mount --bind "$0" /etc/resolv.conf && exec "$@"',
      `${folder}/resolv.conf`,
    ] as const,
  async args({ folder, stack }: AttackSetup) {
    const server = SilentNameServer.start();
    stack.defer(() => server.close());
    // A look-up times out after 30 seconds, the C library's maximum, and not during the test.
    const resolverOptions = "options timeout:30 attempts:1\n";
    await Deno.writeTextFile(
      `${folder}/resolv.conf`,
      `nameserver ${server.address}\n${resolverOptions}`,
    );
    return [
      "forward://:0?to=silent.test:80&connect-timeout=8s&name=it",
      "forward://:0?to=silent.test:80&connect-timeout=1s&name=first",
      "forward://:0?to=silent.test:80&connect-timeout=1h&name=patient",
      `record://:0?dir=${folder}&name=disk`,
    ];
  },
  // Modules and descriptors that each worker needs for its first look-up.
  async warmUp(server: AttackedServer) {
    const visit = async () => {
      using client = await server.connect("first");
      await readText(client).catch(() => "");
    };
    await Promise.all(Array.from({ length: 12 }, visit));
  },
};

testAttack("a name server does not answer the look-ups of 200 clients; nothing else is blocked", {
  ...SILENT,
  async begin(server, stack) {
    for (let i = 0; i < CLIENTS; i++) stack.use(await server.connect("it"));
    await eventually(async () => await waiters(server) >= CLIENTS, "clients that wait for a name");
  },
  async check(server) {
    using client = await server.connect("disk");
    await send(client, "kept\n");
    await client.closeWrite();
    await readText(client);
    const running = (await server.metrics())
      .matchAll(/^outlet_name_lookups_running\{.*\} (\d+)$/gm);
    const all = [...running].reduce((sum, [, count]) => sum + Number(count), 0);
    assert(all <= server.workers, `${all} look-ups of one name`);
  },
});

testAttack("50 clients reset while their upstream's name is looked up; none is waited for", {
  ...SILENT,
  async begin(server, stack) {
    const port = await server.port("patient");
    const clients = Array.from({ length: 50 }, () => stack.use(new ResettingClient(port)));
    await eventually(async () => await waiters(server) >= 50, "clients that wait for a name");
    for (const client of clients) client[Symbol.dispose]();
    await eventually(async () => await waiters(server) === 0, "the end of their waiting");
    await eventually(async () => await closedBy("peer reset", server) === 50, "50 resets");
  },
});

async function waiters(server: { metrics(): Promise<string> }): Promise<number> {
  return Number(/^outlet_name_waiters (\d+)$/m.exec(await server.metrics())?.[1]);
}

/** How many connections ended for this reason. */
async function closedBy(reason: string, server: AttackedServer): Promise<number> {
  const pattern = new RegExp(
    `^outlet_connections_closed_total\\{.*reason="${reason}"\\} (\\d+)$`,
    "gm",
  );
  const counts = (await server.metrics()).matchAll(pattern);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** A name server that receives queries and does not answer, on a loopback address of its own. */
class SilentNameServer {
  readonly address: string;
  readonly #socket: Deno.DatagramConn;

  private constructor(address: string) {
    this.address = address;
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname: address, port: 53 });
  }

  static start(): SilentNameServer {
    for (;;) {
      const [one, two] = crypto.getRandomValues(new Uint8Array(2));
      try {
        return new SilentNameServer(`127.53.${one}.${two! || 1}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      }
    }
  }

  close(): void {
    this.#socket.close();
  }
}
