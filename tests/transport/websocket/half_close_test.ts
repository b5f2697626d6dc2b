/** A WebSocket has no half-close: what outlet does at the end of one half. */
import { assertEquals } from "@std/assert";
import { runTestClient } from "../../harness/client.ts";
import { TestServer } from "../../harness/server.ts";

Deno.test("between two outlets, a client that has ended still gets the answer", async () => {
  await using server = await TestServer.open("exec+ws://:0", "--", "sh", "-c", "cat; echo done");
  const { received, error } = await runTestClient([`ws://127.0.0.1:${server.port()}`], "asked\n");
  assertEquals([received, error], ["asked\ndone\n", ""]);
});

Deno.test("a TCP client that has ended gets the answer through a WebSocket upstream", async () => {
  await using server = await TestServer.open("exec+ws://:0", "--", "sh", "-c", "cat; echo done");
  await using front = await TestServer.open(`forward://:0?to=ws://127.0.0.1:${server.port()}/x`);
  const { received, error } = await runTestClient(["127.0.0.1", String(front.port())], "asked\n");
  assertEquals([received, error], ["asked\ndone\n", ""]);
});

Deno.test("a server that answers only while the WebSocket is open is heard to the end", async () => {
  // Deno's own server answers the close frame at once, and sends nothing after it.
  await using other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
  const { received, error } = await runTestClient(
    [`ws://127.0.0.1:${other.addr.port}/`],
    "hello\n",
  );
  assertEquals([received, error], ["hello\n", ""]);
});
