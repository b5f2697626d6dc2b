/** Hostile clients, other than floods: a full disk, a room's history, and incomplete requests. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { type AttackedServer, testAttack } from "../../harness/attacked.ts";
import { noise, readText, readUntil, send } from "../../harness/bytes.ts";
import { eventually } from "../../harness/eventually.ts";
import { descriptorsOf } from "../../harness/process.ts";

testAttack(
  "clients send more to record than the disk takes; they are reset, and other outlets are not blocked",
  {
    needs: ["unshare", "mount"],
    wrapper: ({ folder }) => [
      ...["unshare", "-m", "sh", "-c"] as const,
      'mkdir "$0" && mount -t tmpfs -o size=100k none "$0" && exec "$@"',
      `${folder}/disk`,
    ],
    args: ({ folder }) => [`record://:0?file=${folder}/disk/all&name=it`],
    async begin(server) {
      for (let tries = 0; tries < 5; tries++) {
        using client = await server.connect("it");
        await assertRejects(
          async () => {
            await send(client, noise(1_000_000));
            await client.closeWrite();
            await readText(client);
          },
          Error,
          "",
          "nobody may take it for success",
        );
      }
      await server.logs(/cannot record to [^"]*: no space left on device/);
    },
  },
);

testAttack("a client fills a room's history; new members stay connected", {
  args: () => ["chat://:0?history=1000&name=it"],
  async begin(server, stack) {
    const alice = stack.use(await server.connect("it"));
    await readUntil(alice, /welcome.*\n/);
    for (let i = 0; i < 64; i++) await send(alice, `${i} ${"x".repeat(4000)}\n`);
    await send(alice, "/who\n");
    await readUntil(alice, /1 here/);
    // The other workers receive it later.
    await eventually(async () =>
      (await newcomers(server)).every((shown) => /> 63 x+\n/.test(shown))
    );
    for (const shown of await newcomers(server)) {
      assert(shown.length < 80 * 1024, `${shown.length} bytes at once`);
    }
    const bob = stack.use(await server.connect("it"));
    await readUntil(bob, /welcome/);
    await send(bob, "thank you\n");
    await readUntil(alice, /> thank you\n/);
  },
});

/** What new members are shown, each in any worker. */
function newcomers(server: AttackedServer): Promise<string[]> {
  return Promise.all(Array.from({ length: 8 }, async () => {
    using client = await server.connect("it");
    await send(client, "/who\n");
    return await readUntil(client, /\* \d+ here: .*\n/);
  }));
}

/** The number of hostile clients of each outlet; the server has fewer descriptors. */
const CLIENTS = 250;
const FEW = ["prlimit", "--nofile=256:256"] as const;

testAttack(
  "250 clients send incomplete requests to metrics and console; no outlet runs out of descriptors",
  {
    needs: ["prlimit"],
    wrapper: () => FEW,
    args: () => ["--console", "127.0.0.1:0"],
    async begin(server, stack) {
      const pages = [server.metricsPort, await consoleOf(server)];
      for (const port of pages) {
        await hold(stack, { port, first: "GET /metrics HTTP/1.1\r\nHost: x\r\n" });
      }
    },
    async check(server) {
      assertMatch(await server.metrics(), /^outlet_connections_opened_total\{.*\} [1-9]/m);
      const page = await fetch(`http://127.0.0.1:${await consoleOf(server)}/`);
      assertMatch(await page.text(), /<html/);
    },
  },
);

testAttack("250 clients send no PROXY header; no outlet runs out of descriptors", {
  needs: ["prlimit"],
  wrapper: () => FEW,
  args: () => ["echo://:0?accept-proxy&name=it&max-connections=20"],
  async begin(server, stack) {
    await hold(stack, { port: await server.port("it"), first: "" });
  },
});

testAttack("250 proxied clients wait for one of 5 places without using descriptors", {
  needs: ["prlimit"],
  wrapper: () => FEW,
  args: () => ["echo://:0?accept-proxy&name=it&max-connections=5&when-full=defer"],
  async begin(server, stack) {
    const port = await server.port("it");
    await hold(stack, { port, first: "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nhello\n" });
    await server.logs(/(?:"opened","outlet":"it"[^]*){5}/);
  },
  check(server) {
    const descriptors = descriptorsOf(server.pid);
    return Promise.resolve(assert(descriptors < 150, `${descriptors} descriptors`));
  },
});

testAttack(
  "the process is suspended for longer than --idle-timeout; no connection is closed as idle",
  {
    args: () => ["--idle-timeout", "4s"],
    async begin(server) {
      server.program.signal("SIGSTOP");
      await delay(5_000);
      server.program.signal("SIGCONT");
    },
    async check(server) {
      assertEquals(/reason="idle"/.test(await server.metrics()), false);
    },
  },
);

async function consoleOf(
  { program }: { program: { prints(pattern: RegExp): Promise<RegExpMatchArray> } },
): Promise<number> {
  const [, port] = await program.prints(/console at http:\S+:(\d+)\//);
  return Number(port);
}

/** Connects all hostile clients, which send the beginning of a request. */
async function hold(
  stack: AsyncDisposableStack,
  { port, first }: { port: number; first: string },
): Promise<void> {
  const come = async () => {
    const conn = stack.use(await Deno.connect({ hostname: "127.0.0.1", port }));
    await send(conn, first).catch(() => {});
  };
  await Promise.all(Array.from({ length: CLIENTS }, come));
}
