/** Every service over every transport works, or is refused with the reason that the docs give. */
import { assertEquals, assertThrows } from "@std/assert";
import { STREAM_TRANSPORTS, transportsPage } from "../../.ci/transports.ts";
import { SERVICES } from "../../src/services/registry.ts";
import { ROOT } from "../harness/program.ts";
import { configOf } from "../harness/server.ts";

/** What services need in a SPEC. */
const OPTIONS: Readonly<Record<string, string>> = {
  exec: "&run=cat",
  forward: "&to=127.0.0.1:9",
  record: "&dir=.",
};

Deno.test("docs/transports.md is up to date; else run: deno task transports", async () => {
  const cellsOf = (text: string) => text.replace(/-+/g, "-").replace(/[ \n]+/g, " ").trim();
  const page = await Deno.readTextFile(`${ROOT}docs/transports.md`);
  assertEquals(cellsOf(page), cellsOf(transportsPage()));
});

for (const { name, datagram } of SERVICES.values()) {
  const query = OPTIONS[name] ?? "";

  Deno.test(`${name} is accepted over every transport of streams, and over TLS or WebSocket on Unix sockets`, () => {
    for (const transport of STREAM_TRANSPORTS) {
      const tls = transport === "tls" || transport === "wss" ? "tls-self-signed" : "name=x";
      const address = transport === "unix" ? "/tmp/x" : ":0";
      const [outlet] = configOf([`${name}+${transport}://${address}?${tls}${query}`]).outlets;
      assertEquals(outlet!.service, name);
    }
    for (const layer of ["tls", "ws"]) {
      const tls = layer === "tls" ? "tls-self-signed" : "name=x";
      const [outlet] = configOf([`${name}+${layer}+unix:///tmp/x?${tls}${query}`]).outlets;
      assertEquals(outlet!.service, name);
    }
  });

  Deno.test(`${name} over UDP is ${"refused" in datagram ? "refused with its reason" : "accepted"}`, () => {
    const open = () => configOf([`${name}+udp://:0?name=x${query}`]);
    if ("refused" in datagram) assertThrows(open, Error, datagram.refused);
    else assertEquals(open().outlets[0]!.service, name);
  });
}
