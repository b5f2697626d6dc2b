/** What becomes of a client of forward while its upstream is being connected. */
import { assertEquals } from "@std/assert";
import { readText, send } from "../harness/bytes.ts";
import { eventually } from "../harness/eventually.ts";
import { ResettingClient } from "../harness/resetting_client.ts";
import { TestServer } from "../harness/server.ts";
import { silentPort } from "../harness/silent_port.ts";

/** What a client has done before it resets its connection. */
const BEFORE_RESET: Readonly<Record<string, (client: ResettingClient) => void>> = {
  "has sent nothing": () => {},
  "has sent data": (client) => client.send("GET / HTTP/1.0\r\n\r\n"),
  "has sent data and a FIN": (client) => {
    client.send("GET / HTTP/1.0\r\n\r\n");
    client.closeWrite();
  },
};

for (const [what, act] of Object.entries(BEFORE_RESET)) {
  Deno.test({
    name: `forward ends the connect for a client that ${what} and resets its connection`,
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      using stack = new DisposableStack();
      const { port } = (await silentPort(stack)).addr;
      const spec = `forward://:0?to=127.0.0.1:${port}&connect-timeout=1h`;
      await using server = await TestServer.open(spec);
      using client = new ResettingClient(server.port());
      act(client);
      await server.event("opened");
      await eventually(() => hasSynSent(port), "a connect to the upstream");
      client[Symbol.dispose]();
      assertEquals((await server.event("closed")).reason, "peer reset");
      await eventually(() => !hasSynSent(port), "the end of the connect");
    },
  });
}

/** Whether a socket of this machine waits for the SYN-ACK of this port. */
function hasSynSent(port: number): boolean {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return Deno.readTextFileSync("/proc/net/tcp").split("\n").some((line) => {
    const [, , to, state] = line.trim().split(/\s+/);
    return to === remote && state === "02";
  });
}

Deno.test("forward serves a client that has sent a FIN while its upstream was being connected", async () => {
  using stack = new DisposableStack();
  const listener = await silentPort(stack);
  const { port } = listener.addr;
  await using server = await TestServer.open(
    `forward://:0?to=127.0.0.1:${port}&connect-timeout=1h`,
  );
  using client = await server.connect();
  await send(client, "all I have");
  await client.closeWrite();
  await eventually(() => hasSynSent(port), "a connect to the upstream");
  // With room in the accept queue, the kernel answers the next SYN that it is sent.
  for (let i = 0; i < 2; i++) (await listener.accept()).close();
  using upstream = await listener.accept();
  assertEquals(await readText(upstream), "all I have");
  await send(upstream, "an answer");
  await upstream.closeWrite();
  assertEquals(await readText(client), "an answer");
  const { reason, bytesIn } = await server.event("closed");
  assertEquals([reason, bytesIn], ["peer closed", 10]);
});
