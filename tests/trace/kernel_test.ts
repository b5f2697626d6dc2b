import { assert, assertEquals } from "@std/assert";
import {
  parseBacklogs,
  parseListenCounters,
  parseSockets,
} from "../../src/trace/kernel/parse_sockets.ts";
import { renderSockets, socketKey } from "../../src/trace/kernel/socket_report.ts";
import { readSockets } from "../../src/trace/kernel/read_sockets.ts";

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 111 1
   1: 0100007F:1F90 0200007F:9C40 03 00000000:00000000 01:00000064 00000002     0        0 0 1
   2: 0100007F:1F90 0300007F:9C41 08 00000000:00000010 00:00000000 00000000     0        0 222 1
   3: 0100007F:9C42 0100007F:1F90 02 00000001:00000000 01:00000064 00000003     0        0 333 1
not a socket
`;
const TCP6 = `  sl
   0: B80D0120000000000000000001000000:0050 00000000000000000000000000000000:0000 0A ` +
  `00000000:00000000 00:00000000 00000000     0        0 444 1
   1: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000200007F:9C40 01 ` +
  `00000005:00000007 00:00000000 00000000     0        0 0 1
`;
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

Deno.test({
  name: "Sockets of /proc/net/tcp and tcp6 are read with states, queues and retransmits",
  ignore: !IS_LITTLE_ENDIAN,
  fn() {
    const sockets = [...parseSockets(TCP), ...parseSockets(TCP6)];
    assertEquals(sockets.map(({ state, local, peer }) => `${state} ${local} ${peer}`), [
      "LISTEN 127.0.0.1:8080 0.0.0.0:0",
      "SYN_RECV 127.0.0.1:8080 127.0.0.2:40000",
      "CLOSE_WAIT 127.0.0.1:8080 127.0.0.3:40001",
      "SYN_SENT 127.0.0.1:40002 127.0.0.1:8080",
      "LISTEN [2001:db8::1]:80 [::]:0",
      "ESTABLISHED 127.0.0.1:80 127.0.0.2:40000",
    ]);
    assertEquals(sockets.map(({ retransmits }) => retransmits), [0, 2, 0, 3, 0, 0]);
    assertEquals([sockets[0]!.receiveQueue, sockets[5]!.receiveQueue], [3, 7]);
    assertEquals([sockets[3]!.sendQueue, sockets[5]!.sendQueue], [1, 5]);
  },
});

Deno.test("Counters of /proc/net/netstat are parsed by name", () => {
  const text =
    "TcpExt: SyncookiesSent ListenOverflows B ListenDrops\nTcpExt: 1 22 3 44\nIpExt: X\nIpExt: 5\n";
  assertEquals(parseListenCounters(text), { overflows: 22, drops: 44, cookies: 1 });
  assertEquals(parseListenCounters(""), { overflows: 0, drops: 0, cookies: 0 });
});

Deno.test("Accept queue limits are parsed by address from the output of ss", () => {
  const text = `LISTEN 0 4096 127.0.0.1:8080 0.0.0.0:*
LISTEN 0      511        *:7000  *:*
LISTEN 0 128 127.0.0.53%lo:53 0.0.0.0:*
LISTEN 0 9 [::1]:80 [::]:*
`;
  assertEquals([...parseBacklogs(text)], [
    ["127.0.0.1:8080", 4096],
    ["[::]:7000", 511],
    ["127.0.0.53:53", 128],
    ["[::1]:80", 9],
  ]);
});

Deno.test("The table lists listening sockets first and marks problems", () => {
  const sockets = parseSockets(TCP);
  const table = renderSockets({
    sockets,
    counters: { overflows: 5, drops: 6, cookies: 0 },
    backlogs: new Map([["127.0.0.1:8080", 2]]),
    closeWaitTimes: new Map([[socketKey(sockets[2]!), 61_000]]),
  });
  const rows = table.split("\n");
  assert(rows[1]!.startsWith("LISTEN") && rows[1]!.endsWith("accept queue full"));
  assert(table.includes("not closed here for 61 s"));
  assert(table.includes("the client has not acknowledged"));
  assert(table.includes("since boot: ListenOverflows 5, ListenDrops 6"));
});

Deno.test({
  name: "The kernel's table shows a listening socket and its accept queue",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    using _client = await Deno.connect({ hostname: "127.0.0.1", port });
    // Earlier connections of this port may be in TIME_WAIT.
    const sockets = readSockets().filter(({ localPort, peerPort, state }) =>
      (localPort === port || peerPort === port) && state !== "TIME_WAIT"
    );
    const states = sockets.map(({ state, localPort }) => `${state} ${localPort === port}`);
    assertEquals(states.toSorted(), ["ESTABLISHED false", "ESTABLISHED true", "LISTEN true"]);
    assertEquals(sockets.find(({ state }) => state === "LISTEN")?.receiveQueue, 1);
  },
});

Deno.test("The table shows roles and processes, and limits sockets in TIME_WAIT", () => {
  const [listener, , served, asking] = parseSockets(TCP);
  const over = Array.from({ length: 5000 }, (_, index) => ({
    ...served!,
    state: "TIME_WAIT" as const,
    localPort: 1,
    local: "127.0.0.1:1",
    peer: `127.0.0.9:${index}`,
    inode: 0,
  }));
  const elsewhere = { ...served!, localPort: 50_000, peerPort: 443, local: "127.0.0.1:50000" };
  const table = renderSockets({
    sockets: [...over, listener!, served!, asking!, elsewhere],
    counters: { overflows: 0, drops: 0, cookies: 0 },
    backlogs: new Map(),
    owners: new Map([[listener!.inode, "httpd[17]"]]),
  });
  const rows = table.split("\n");
  assert(/^LISTEN .* httpd\[17\] waiting for accept$/.test(rows[1]!), rows[1]);
  assert(/^CLOSE_WAIT +127\.0\.0\.1:8080 .* server /.test(rows[2]!), rows[2]);
  assert(/^SYN_SENT .* client /.test(rows[3]!), rows[3]);
  assert(/^CLOSE_WAIT +127\.0\.0\.1:50000 .* client\? /.test(rows[4]!), rows[4]);
  assert(rows[5]!.startsWith("TIME_WAIT") && rows.length < 30);
  assert(table.includes("… and 4980 more in TIME_WAIT"));
});
