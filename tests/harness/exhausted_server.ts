/**
 * An HTTP server in a process that has no descriptor left. It prints its port once it is so.
 *
 * @module
 */
import { HttpServer } from "../../src/transport/http_server.ts";

await using server = HttpServer.open({ address: { hostname: "127.0.0.1", port: 0 } }, {
  noun: "nothing",
  maxConnections: 8,
  answer: () => new Response("still here\n"),
});
// The runtime takes a descriptor for signals with the first one that is listened to, as outlet does at its start.
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
// What is loaded at the first request needs descriptors itself.
await (await fetch(`http://127.0.0.1:${server.address.port}/`)).text();
const files: Deno.FsFile[] = [];
try {
  for (;;) files.push(Deno.openSync("/dev/null"));
} catch (error) {
  if ((error as { code?: string }).code !== "EMFILE") throw error;
}
console.log(`full at ${server.address.port}`);
// Until it is killed: what would wait for a signal needs a descriptor, too.
await new Promise((resolve) => setTimeout(resolve, 600_000));
for (const file of files) file.close();
