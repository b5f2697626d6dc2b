import { assertEquals } from "@std/assert";
import { formatRemote, REMOTE } from "../../src/endpoint/remote.ts";
import { parseTransport } from "../../src/endpoint/transport.ts";

const WEBSOCKETS: readonly (readonly [word: string, written: string, tls: boolean, ws: string])[] =
  [
    ["ws://h:1", "ws://h:1/", false, "/"],
    ["ws://h:1/", "ws://h:1/", false, "/"],
    ["ws://h", "ws://h:80/", false, "/"],
    ["wss://h", "wss://h:443/", true, "/"],
    ["WSS://[::1]/a/b?c=d&e", "wss://[::1]:443/a/b?c=d&e", true, "/a/b?c=d&e"],
    ["ws://h:1?path=/chat", "ws://h:1/chat", false, "/chat"],
    ["ws://h:1?path=%2Fchat", "ws://h:1/chat", false, "/chat"],
    ["ws://h:1?token=x", "ws://h:1/?token=x", false, "/?token=x"],
    ["ws+unix:/run/x.sock", "ws+unix:/run/x.sock", false, "/"],
    ["ws+unix:///run/x.sock?path=/a?b", "ws+unix:/run/x.sock?path=%2Fa%3Fb", false, "/a?b"],
    ["wss unix:/run/x.sock", "wss+unix:/run/x.sock", true, "/"],
  ];

for (const [word, written, tls, ws] of WEBSOCKETS) {
  Deno.test(`"${word}" is a WebSocket at ${ws}, and is written so that it is read to the same`, () => {
    const remote = REMOTE.parse(word)!;
    assertEquals([remote.tls, remote.ws, formatRemote(remote)], [tls, ws, written]);
    assertEquals(REMOTE.parse(formatRemote(remote)), remote);
  });
}

Deno.test("udp:// is an endpoint of UDP, and is written so that it is read to the same", () => {
  const remote = REMOTE.parse("UDP://[::1]:53/")!;
  assertEquals(remote, {
    address: { transport: "udp", hostname: "::1", port: 53 },
    tls: false,
  });
  assertEquals(formatRemote(remote), "udp://[::1]:53");
  assertEquals(REMOTE.parse(formatRemote(remote)), remote);
});

Deno.test("a transport is a carrier and the layers over it", () => {
  assertEquals(parseTransport("ws"), { carrier: "tcp", layers: ["ws"] });
  assertEquals(parseTransport("wss"), { carrier: "tcp", layers: ["tls", "ws"] });
  assertEquals(parseTransport("ws+unix"), { carrier: "unix", layers: ["ws"] });
  assertEquals(parseTransport("tls+ws+unix"), { carrier: "unix", layers: ["tls", "ws"] });
  assertEquals(parseTransport("tls"), { carrier: "tcp", layers: ["tls"] });
  assertEquals(parseTransport("unix"), { carrier: "unix", layers: [] });
  assertEquals(parseTransport("udp"), { carrier: "udp", layers: [] });
});
