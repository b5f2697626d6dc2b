/** RSTs sent on sockets that Deno itself can only close. */
import { assertEquals, assertRejects } from "@std/assert";
import { libc } from "../../src/transport/libc.ts";
import { sendReset } from "../../src/transport/reset.ts";
import { ROOT, run } from "../harness/program.ts";

// Loaded once per process, so the sanitizer of the first test would report it as a leak.
libc();

/** Both ends of a connection to a listener at this host. */
async function join(host: string, target: string): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: host, port: 0 });
  const { port } = listener.addr;
  return await Promise.all([listener.accept(), Deno.connect({ hostname: target, port })]);
}

for (const [host, target] of [["127.0.0.1", "127.0.0.1"], ["::1", "::1"], ["::", "127.0.0.1"]]) {
  Deno.test(`a client of ${host} that connected to ${target} is reset after it has received what was sent`, async () => {
    const [accepted, client] = await join(host!, target!);
    await accepted.write(new TextEncoder().encode("last words"));
    const space = new Uint8Array(100);
    assertEquals(await client.read(space), 10);
    assertEquals(sendReset(accepted), true);
    accepted.close();
    await assertRejects(() => client.read(space), Deno.errors.ConnectionReset);
    client.close();
  });
}

Deno.test("the connecting side can send a reset too, without effect on many other connections", async () => {
  const pairs = await Promise.all(
    Array.from({ length: 100 }, () => join("127.0.0.1", "127.0.0.1")),
  );
  const [accepted, client] = pairs.splice(40, 1)[0]!;
  assertEquals(sendReset(client), true);
  client.close();
  await assertRejects(() => accepted.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  accepted.close();
  for (const [accepted, client] of pairs) {
    await client.write(Uint8Array.of(1));
    assertEquals(await accepted.read(new Uint8Array(1)), 1);
    client.close();
    accepted.close();
  }
});

Deno.test("a closed connection, or one that is not TCP, cannot be reset", async () => {
  const [accepted, client] = await join("127.0.0.1", "127.0.0.1");
  sendReset(client);
  client.close();
  await assertRejects(() => accepted.read(new Uint8Array(1)));
  assertEquals(sendReset(accepted), false);
  accepted.close();
  const path = await Deno.makeTempFile();
  await Deno.remove(path);
  using listener = Deno.listen({ transport: "unix", path });
  const ends = await Promise.all([listener.accept(), Deno.connect({ transport: "unix", path })]);
  assertEquals(ends.map(sendReset), [false, false]);
  for (const end of ends) end.close();
  await Deno.remove(path).catch(() => {});
});

Deno.test("without the permission for foreign functions, there is no prompt and no reset", async () => {
  const script = `
    import { sendReset } from "file://${ROOT}src/transport/reset.ts";
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    using client = await Deno.connect({ port: listener.addr.port });
    console.log(sendReset(client));
  `;
  const args = ["run", "--allow-net", "--no-lock", "--no-prompt", "--config", `${ROOT}deno.json`];
  const { stdout, stderr } = await run([Deno.execPath(), ...args, "-"], { stdin: script });
  assertEquals({ stdout, stderr }, { stdout: "false\n", stderr: "" });
});
