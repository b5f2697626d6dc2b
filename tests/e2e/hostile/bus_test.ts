/** A hostile bus must not end the process, block other outlets, or fill memory. */
import { encodeSnapshot } from "../../../src/chat/wire.ts";
import { type AttackedServer, testAttack } from "../../harness/attacked.ts";
import { readUntil, send } from "../../harness/bytes.ts";
import { eventually } from "../../harness/eventually.ts";
import { NatsServer } from "../../harness/nats.ts";
import { Program, ROOT } from "../../harness/program.ts";

/** Servers that are no valid bus: the kind in `hostile_nats.py`, and a description. */
const KINDS = [
  ["before-info", "sends bytes without end before its handshake"],
  ["garbage", "sends bytes that are not NATS"],
  ["endless-line", "sends a line without end"],
  ["huge-message", "sends a message of 60 MB"],
  ["pings", "sends nothing but PINGs"],
] as const;

for (const [kind, does] of KINDS) {
  for (const stuck of kind === "garbage" ? [false, true] : [false]) {
    const where = stuck ? " while stdout is full" : "";
    let bus: Program;
    testAttack(`a bus server ${does}${where}; other outlets are not blocked`, {
      needs: stuck ? ["python3", "sh", "mkfifo"] : ["python3"],
      ...(stuck && { wrapper: ({ folder }) => [...WITH_FULL_STDOUT, `${folder}/pipe`] }),
      async args({ stack }) {
        const args = [`${ROOT}tests/harness/peers/hostile_nats.py`, kind] as const;
        bus = stack.use(new Program(["python3", ...args]));
        const [port] = await bus.prints(/^\d+/);
        return ["chat://:0?room=all", "--bus", `nats://127.0.0.1:${port}`];
      },
      async begin(server, stack) {
        stack.use(bus);
        await bus.type("begin\n");
        // The client has disconnected once, and connected again.
        await bus.prints(/accepted[^]*accepted/);
        if (kind !== "before-info") await server.logs(/"event":"bus-disconnected"/);
      },
    });
  }
}

/** A command line that runs a program with a full pipe as stdout. */
const WITH_FULL_STDOUT: [string, ...string[]] = [
  ...["sh", "-c"] as const,
  'mkfifo "$0" && exec 3<>"$0" && head -c 65536 /dev/zero >&3 && exec "$@" >&3',
];

/** Starts a server on a real bus, with a room named `all`. */
async function onBus(
  { stack }: { stack: AsyncDisposableStack },
  config: string,
): Promise<{ nats: NatsServer; args: string[] }> {
  const nats = stack.use(await NatsServer.start({ config }));
  return { nats, args: ["chat://:0?room=all&name=it", "--bus", nats.url] };
}

testAttack("a bus server accepts smaller messages than members send; the server continues", {
  needs: ["nats-server"],
  args: async (setup) => (await onBus(setup, "max_payload: 4096")).args,
  async begin(server, stack) {
    await server.logs(/"event":"bus-connected"/);
    const alice = stack.use(await server.connect("it"));
    await readUntil(alice, /welcome/);
    await send(alice, `${"x".repeat(300)}\n`.repeat(20) + "y".repeat(4_000) + "\n/who\n");
    await readUntil(alice, /here: /);
  },
  async check(server) {
    await eventually(async () =>
      /^outlet_bus_messages_total\{bus="nats.*what="out"\} [1-9]/m.test(await server.metrics())
    );
  },
});

/** The number of guest names that a room tries before it uses longer ones. */
const CLAIMED = 99_999;

{
  let nats: NatsServer;
  testAttack("a server on the bus claims 99,999 guest names; new members get others", {
    needs: ["nats-server"],
    async args(setup) {
      const started = await onBus(setup, "");
      nats = started.nats;
      return started.args;
    },
    async begin(server, stack) {
      await server.logs(/"event":"bus-connected"/);
      using first = await server.connect("it");
      await readUntil(first, /welcome/);
      const publisher = stack.use(await HostileNode.join(nats.port));
      await publisher.claim(CLAIMED);
      await eventually(() => newcomersGetLongNames(server));
    },
    check: (server) => eventually(() => newcomersGetLongNames(server)),
  });
}

/** Whether ten new members, of any worker, get names that are not claimed. A worker may learn the claims later. */
async function newcomersGetLongNames(server: AttackedServer): Promise<boolean> {
  for (let count = 0; count < 10; count++) {
    if (!/^guest-\d{6,}$/.test(await newcomer(server))) return false;
  }
  return true;
}

/** The name that a new member gets. */
async function newcomer(server: AttackedServer): Promise<string> {
  using client = await server.connect("it");
  const [, name] = /you are ([\w-]+)/.exec(await readUntil(client, /you are [\w-]+/))!;
  return name!;
}

/** A NATS client that publishes messages of its own in the room's subject. */
class HostileNode implements Disposable {
  readonly #conn: Deno.TcpConn;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async join(port: number): Promise<HostileNode> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await readUntil(conn, /INFO .*\r\n/);
    await send(conn, "CONNECT {}\r\n");
    return new HostileNode(conn);
  }

  /** Publishes that this many guests are on its server. */
  async claim(count: number): Promise<void> {
    const names = Array.from(
      { length: count },
      (_, i) => [`guest-${i + 1}`, 1] as [string, number],
    );
    const about = { nodeId: "stranger", server: "stranger", seq: 0, from: 1 };
    for (const message of encodeSnapshot(names, { about, limit: 64 * 1024 })) {
      await send(this.#conn, `PUB outlet.room.all ${message.length}\r\n`);
      await send(this.#conn, message);
      await send(this.#conn, "\r\n");
    }
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}
