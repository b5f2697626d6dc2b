/**
 * A server with a hanging worker, that of its Unix socket, as a process: a hanging thread only ends
 * with its process. It prints the reported errors, and how many clients were answered afterwards.
 *
 * @module
 */
import { bytesOf, readUntil, send } from "./bytes.ts";
import { eventually } from "./eventually.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { Supervisor } from "../../src/workers/supervisor.ts";
import { configOf } from "./server.ts";
import { CRASHING_WORKER } from "./supervisor.ts";

const WORKERS = 2;
const CLIENTS = 100;

const reported: string[] = [];
const eventBus = new EventBus();
eventBus.subscribe((event) => {
  if (event.event === "worker-restarted") reported.push(event.reason);
  if (event.event === "closed" && event.reason.startsWith("error")) reported.push(event.reason);
});
const folder = await Deno.makeTempDir();
const path = `${folder}/echo.sock`;
const config = configOf(["echo://:0", `echo+unix://${path}`, "--workers", String(WORKERS)]);
const supervisor = await Supervisor.open(config, {
  workers: WORKERS,
  eventBus,
  module: CRASHING_WORKER,
  silence: 4_000,
});
const [outlet] = supervisor.outlets;
const { port } = outlet!.address as { port: number };

async function visit(connect = () => Deno.connect({ port }) as Promise<Deno.Conn>) {
  using client = await connect();
  const late = setTimeout(() => client.close(), 10_000);
  try {
    await send(client, "hello\n");
    await readUntil(client, /hello\n/);
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(late);
  }
}

const connectUnix = (): Promise<Deno.Conn> => Deno.connect({ transport: "unix", path });
const unixClient = await connectUnix();
await eventually(() => [...supervisor.connections()].length === 1);
for (const { connection } of supervisor.connections()) {
  connection.write(bytesOf("hang")).catch(() => {});
}
await Promise.race([
  eventually(() => reported.length > 0),
  new Promise((resolve) => supervisor.failed.addEventListener("abort", resolve)),
]);
const failed = supervisor.failed.aborted ? String(supervisor.failed.reason) : undefined;
let answered = 0;
if (!failed) {
  // Its socket is closed a moment after the report, and another worker starts.
  await eventually(async () =>
    (await Promise.all(Array.from({ length: 10 }, () => visit()))).every(Boolean)
  );
  await eventually(() => visit(connectUnix).catch(() => false), "a worker at the Unix socket");
  for (let i = 0; i < CLIENTS; i++) if (await visit()) answered++;
}
console.log(JSON.stringify({ reported, answered, failed }));
unixClient.close();
await Deno.remove(folder, { recursive: true });
Deno.exit(0);
