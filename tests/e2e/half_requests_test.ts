/** Strangers who begin HTTP requests and do not end them: they take nothing from outlets, metrics or console. */
import { assertEquals, assertMatch } from "@std/assert";
import { readUntil, send } from "../harness/bytes.ts";
import { outlet, Program } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

/** How many come to each page. */
const STRANGERS = 250;

for (const workers of [1, 2]) {
  testWith(
    ["prlimit"],
    `250 half requests to metrics and to the console each starve nobody (--workers ${workers})`,
    async () => {
      await using server = new Program([
        ...["prlimit", "--nofile=256:256"] as const,
        ...outlet("server", "echo://:0", "--workers", String(workers), "--log-format", "json"),
        ...["--metrics", "127.0.0.1:0", "--console", "127.0.0.1:0"],
      ]);
      const [, outletPort] = await server.complains(/"listening".*"address":"[^"]*:(\d+)"/);
      await server.complains(/"event":"ready"/);
      const [, origin] = await server.prints(/console at (http:\S+:\d+)\//);
      const metrics = await portsOf(server, [Number(outletPort), Number(new URL(origin!).port)]);
      const pages = [Number(new URL(origin!).port), ...metrics];
      assertEquals(pages.length, 2);
      const halves = await Promise.all(pages.flatMap((port) => strangers(port)));
      using client = await connect(Number(outletPort));
      await send(client, "word\n");
      assertEquals(await readUntil(client, /\n/), "word\n");
      const page = await fetch(`http://127.0.0.1:${metrics[0]}/metrics`);
      assertMatch(await page.text(), /^outlet_connections_opened_total\{.*\} 1$/m);
      assertMatch(await (await fetch(`${origin}/`)).text(), /<html/);
      for (const half of halves) half.close();
    },
  );
}

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

function strangers(port: number): Promise<Deno.TcpConn>[] {
  return Array.from({ length: STRANGERS }, async () => {
    const half = await connect(port);
    await send(half, "GET /metrics HTTP/1.1\r\nHost: x\r\n").catch(() => {});
    return half;
  });
}

/** The ports that a process listens at besides those that are known, as /proc tells them. */
async function portsOf({ pid }: Program, known: readonly number[]): Promise<number[]> {
  const inodes = new Set<string>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const link = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    inodes.add(/^socket:\[(\d+)\]$/.exec(link)?.[1] ?? "");
  }
  const LISTEN = "0A";
  const table = await Deno.readTextFile(`/proc/${pid}/net/tcp`);
  return table.split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === LISTEN && inodes.has(inode!))
    .map(([, local]) => parseInt(local!.split(":")[1]!, 16))
    .filter((port) => !known.includes(port));
}
