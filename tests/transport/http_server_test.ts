import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { HttpServer } from "../../src/transport/http_server.ts";

Deno.test("an HTTP listener answers until it is disposed, and tells its real port", async () => {
  let url: string;
  {
    await using listener = open({ hostname: "127.0.0.1", port: 0 });
    url = `http://127.0.0.1:${listener.address.port}/`;
    assertEquals(await (await fetch(url)).text(), "hello\n");
  }
  await fetch(url).then(() => Promise.reject(new Error("still there")), () => {});
});

Deno.test("an HTTP listener that cannot listen says what it wanted to serve, where, and why not", () => {
  using squatter = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = squatter.addr;
  const error = assertThrows(() => open({ hostname: "127.0.0.1", port }), Error);
  assertMatch(error.message, /^cannot serve greetings on 127\.0\.0\.1:\d+: the address is in use$/);
});

function open(address: { hostname: string; port: number }): HttpServer {
  return HttpServer.open(address, { noun: "greetings", answer: () => new Response("hello\n") });
}
