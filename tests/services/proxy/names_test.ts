/** Names that a proxy resolves, with a name server that answers. */
import { assertEquals, assertMatch } from "@std/assert";
import { NameServerMachine } from "../../harness/name_server.ts";
import { outlet, Program, run } from "../../harness/program.ts";
import { testInNamespaces } from "../../trace/watch.ts";

testInNamespaces("a name is resolved once, and what it leads to is checked then", async () => {
  await using machine = await NameServerMachine.make();
  await using names = await machine.serveNames();
  await using server = new Program(machine.on(...outlet(
    "server",
    "proxy://127.0.0.1:1080",
    "proxy://127.0.0.1:1081?to-deny=127.0.0.0/8",
    "echo://127.0.0.1:7007",
  )));
  await server.logs(/ready/);
  const through = async (name: string, proxy: string) => {
    const client = outlet("client", name, "7007", "--proxy", proxy);
    return await run(machine.on(...client), { stdin: "hello" });
  };
  for (const scheme of ["socks5h", "socks4a", "http"]) {
    const name = `quick-${scheme}.test`;
    const { stdout } = await through(name, `${scheme}://127.0.0.1:1080`);
    assertEquals(stdout, "hello");
  }
  const { stderr } = await through("quick-denied.test", "http://127.0.0.1:1081");
  assertMatch(stderr, /it answered 403/);
  await server.logs(/refused: quick-denied\.test is 127\.0\.0\.1: denied by to-deny/);
  const absent = await through("absent.test", "http://127.0.0.1:1080");
  assertMatch(absent.stderr, /it answered 502/);
  const [asked] = await names.prints(/[^]*absent\.test[^]*/);
  // The C library asks for IPv4 and IPv6.
  for (const scheme of ["socks5h", "socks4a", "http"]) {
    const times = asked!.split(`asked quick-${scheme}.test`).length - 1;
    assertEquals(times <= 2, true, asked);
  }
});
