/**
 * An HTTP server in a process without free descriptors. It prints its port once there are none.
 *
 * @module
 */
import { HttpServer } from "../../src/transport/http_server.ts";

await using server = HttpServer.open({ address: { hostname: "127.0.0.1", port: 0 } }, {
  noun: "nothing",
  maxConnections: 8,
  answer: () => new Response("still here\n"),
});
// The runtime opens a descriptor for the first signal listener; outlet adds one at its start.
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
// Modules that are loaded at the first request need descriptors themselves.
await (await fetch(`http://127.0.0.1:${server.address.port}/`)).text();
const files: Deno.FsFile[] = [];
try {
  for (;;) files.push(Deno.openSync("/dev/null"));
} catch (error) {
  if ((error as { code?: string }).code !== "EMFILE") throw error;
}
console.log(`full at ${server.address.port}`);
// It runs until it is killed: waiting for a signal would need a descriptor, too.
await new Promise((resolve) => setTimeout(resolve, 600_000));
for (const file of files) file.close();
