/** The client on a pseudo-terminal. */
import { assertEquals } from "@std/assert";
import { outlet } from "../harness/program.ts";
import { KEY, Terminal } from "../harness/terminal.ts";
import { testWith } from "../harness/tools.ts";

const NEEDS = ["python3"];

testWith(NEEDS, "Ctrl-D half-closes, and the rest of the answer is still shown", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using terminal = new Terminal(outlet("client", "127.0.0.1", String(listener.addr.port)));
  using client = await listener.accept();
  const send = (text: string) => client.write(new TextEncoder().encode(text));
  await send("before\n");
  await terminal.shows(/before/);
  await terminal.type(KEY.ctrlD);
  assertEquals(await client.read(new Uint8Array(16)), null);
  await send("after\nand more");
  client.close();
  await terminal.shows(/after\r?\nand more/);
  assertEquals(await terminal.code(), 0);
});
