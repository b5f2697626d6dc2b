/** The limits of a server with connections and with sessions over UDP. */
import { assertEquals } from "@std/assert";
import type { Admission } from "../../src/admission/admission.ts";
import { ServerLimits } from "../../src/server/limits.ts";
import { readUntil, send } from "../harness/bytes.ts";
import { UdpClient } from "../harness/datagrams.ts";
import { configOf, TestServer } from "../harness/server.ts";

/** How many clients the outlets with these SPECs admit, one after the other, with 400 descriptors. */
function admitted(...specs: string[]): number[] {
  const config = configOf(specs);
  using limits = new ServerLimits(undefined);
  limits.change(config, { limit: 500, free: 400 });
  return config.outlets.map((outlet) => countOf(limits.admissionOf(outlet, undefined)));
}

function countOf(admission: Admission): number {
  let count = 0;
  while (admission.admit("192.0.2.1").refusal === undefined) count++;
  return count;
}

Deno.test("sessions over UDP leave all connections that the descriptors allow", () => {
  assertEquals(admitted("echo+udp://:0", "echo://:0"), [16_384, 400]);
  assertEquals(admitted("echo+udp://:0?max-connections=20000", "echo://:0"), [20_000, 400]);
});

Deno.test("sessions that take descriptors have a quarter of them together", () => {
  const forward = "forward+udp://:0?to=127.0.0.1:9";
  assertEquals(admitted(forward, "echo://:0"), [100, 300]);
  assertEquals(admitted(forward, `${forward}&max-connections=10`, "echo+udp://:0", "echo://:0"), [
    50,
    10,
    16_384,
    300,
  ]);
});

Deno.test("the limit of a server is one for connections and one for sessions over UDP", async () => {
  await using server = await TestServer.open(
    ...["echo://:0", "echo+udp://:0", "discard+udp://:0", "--max-connections", "2"],
  );
  const clients = [1, 1, 2].map((at) => new UdpClient(server.port(at)));
  for (const client of clients) await client.send("hello");
  assertEquals((await server.event("refused")).reason, "connection limit reached");
  using connection = await server.connect();
  await send(connection, "hello\n");
  assertEquals(await readUntil(connection, /\n/), "hello\n");
  for (const client of clients) client.close();
});

Deno.test("a UDP outlet has fewer sessions with descriptors once there is another one", () => {
  const config = configOf(["forward+udp://:0?to=127.0.0.1:9"]);
  using limits = new ServerLimits(undefined);
  const of = (specs: string[]) => {
    limits.change(configOf(specs), { limit: 500, free: 400 });
    return limits.limitsOf(config.outlets[0]!).maxConnections;
  };
  const forward = "forward+udp://:0?to=127.0.0.1:9";
  assertEquals([of([forward]), of([forward, forward]), of(["echo://:0"])], [100, 50, 16_384]);
});
