/** `outlet trace` of capture files, as a process. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseAddress } from "../../src/trace/decode/ip_address.ts";
import { filterExpression } from "../../src/trace/live/tcpdump.ts";
import { outlet, Program, run } from "../harness/program.ts";
import { type CapturedPacket, datagram, pcapFile, pcapngFile } from "./wire.ts";

const CLIENT = { source: [192, 0, 2, 1], destination: [192, 0, 2, 2] };
const SERVER = {
  source: [192, 0, 2, 2],
  destination: [192, 0, 2, 1],
  sourcePort: 80,
  destinationPort: 40_000,
};

const PACKETS: CapturedPacket[] = [
  { bytes: datagram({ ...CLIENT, flags: "S", seq: 100 }), seconds: 1_700_000_000, fraction: 10 },
  { bytes: datagram({ ...SERVER, flags: "SA", seq: 300, ack: 101 }), ...at(30) },
  { bytes: datagram({ ...CLIENT, flags: "A", seq: 101, ack: 301 }), ...at(60) },
  { bytes: datagram({ ...CLIENT, flags: "FA", seq: 101, ack: 301 }), ...at(80) },
  { bytes: datagram({ ...SERVER, flags: "FA", seq: 301, ack: 102 }), ...at(90) },
  { bytes: datagram({ ...CLIENT, flags: "A", seq: 102, ack: 302 }), ...at(95) },
  { bytes: datagram({ ...CLIENT, sourcePort: 40_001, destinationPort: 81, seq: 7 }), ...at(99) },
];

function at(microseconds: number): { seconds: number; fraction: number } {
  return { seconds: 1_700_000_000, fraction: microseconds };
}

async function withFile(bytes: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".pcap" });
  try {
    await Deno.writeFile(path, bytes);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("A capture file is shown as ladders in the order in which connections end", async () => {
  await withFile(pcapFile(PACKETS), async (path) => {
    const { code, stdout, stderr } = await run(outlet("trace", "--read", path));
    assertEquals([code, stderr], [0, ""]);
    assertMatch(
      stdout,
      /^2023-11-14T22:13:20\.000010Z\nclient 192\.0\.2\.1:40000 +server 192\.0\.2\.2:80\n/,
    );
    assertMatch(stdout, /Established in 50 µs; closed by the client after 85 µs\.\n/);
    assertMatch(stdout, /client 192\.0\.2\.1:40001 +server 192\.0\.2\.2:81\n[^]*No answer/);
  });
});

Deno.test("Either format is read from stdin", async () => {
  for (const file of [pcapFile(PACKETS), pcapngFile(PACKETS)]) {
    const { code, stdout } = await run(outlet("trace", "--read", "-", "--relative"), {
      stdin: file,
    });
    assertEquals(code, 0);
    assertMatch(stdout, /SYN\+ACK seq=0 ack=1/);
  }
});

const NO_OFFER = {
  mss: null,
  windowScale: null,
  sackPermitted: false,
  timestamps: null,
  fastOpen: null,
  mptcp: null,
  otherKinds: [],
  ecnBits: [],
};

Deno.test("--json prints the documented object for each connection", async () => {
  const { stdout } = await run(outlet("trace", "--read", "-", "--json", "--port", "80"), {
    stdin: pcapFile(PACKETS),
  });
  assertEquals(JSON.parse(stdout), {
    client: {
      address: "192.0.2.1:40000",
      through: [],
      state: "TIME_WAIT",
      isn: 100,
      syn: NO_OFFER,
      synRetransmits: 0,
      backoffMs: [],
      segments: 4,
      retransmits: 0,
      keepAlives: 0,
      bytes: 0,
      outOfOrder: 0,
      windowProbes: 0,
      missingBytes: 0,
    },
    server: {
      address: "192.0.2.2:80",
      through: [],
      state: "CLOSED",
      isn: 300,
      syn: NO_OFFER,
      synRetransmits: 0,
      backoffMs: [],
      segments: 2,
      retransmits: 0,
      keepAlives: 0,
      bytes: 0,
      outOfOrder: 0,
      windowProbes: 0,
      missingBytes: 0,
    },
    start: "2023-11-14T22:13:20.000010Z",
    verdict: "established",
    words: "Established in 50 µs; closed by the client after 85 µs.",
    next: null,
    answeredMs: 0.02,
    establishedMs: 0.05,
    durationMs: 0.085,
    closedBy: "client",
    closedHow: "fin",
    beganBefore: false,
    unreachable: null,
    simultaneousOpen: false,
    otherIsns: [],
    strayAnswers: 0,
    late: 0,
    copies: 0,
    reordered: false,
    clockBackMs: 0,
    continued: false,
  });
});

Deno.test("--host and --port select connections, --count limits their number", async () => {
  const stdin = pcapFile(PACKETS);
  async function ports(...args: string[]): Promise<string[]> {
    const { stdout } = await run(outlet("trace", "--read", "-", "--json", ...args), { stdin });
    return stdout.trim().split("\n").filter(Boolean).map((line) => JSON.parse(line).server.address);
  }
  assertEquals(await ports("--port", "81"), ["192.0.2.2:81"]);
  assertEquals(await ports("--port", "80", "--port", "81"), ["192.0.2.2:80", "192.0.2.2:81"]);
  assertEquals(await ports("--host", "192.0.2.2", "--count", "1"), ["192.0.2.2:80"]);
  assertEquals(await ports("--host", "192.0.2.9"), []);
});

Deno.test("--summary summarises a capture, and --svg draws it", async () => {
  await withFile(pcapFile(PACKETS), async (path) => {
    const image = `${path}.svg`;
    const args = ["--read", path, "--summary", "--svg", image];
    const { stdout } = await run(outlet("trace", ...args));
    assertMatch(stdout, /packets +7\nconnections +2\n/);
    const svg = await Deno.readTextFile(image);
    await Deno.remove(image);
    assertMatch(svg, /^<svg [^]*SYN seq=100[^]*SYN seq=7[^]*<\/svg>\n$/);
  });
});

Deno.test("A truncated capture is shown as far as it goes, with a notice", async () => {
  const file = pcapFile(PACKETS);
  const { code, stdout, stderr } = await run(outlet("trace", "--read", "-", "--json"), {
    stdin: file.subarray(0, file.length - 5),
  });
  assertEquals([code, stdout.split("\n").length], [0, 2]);
  assertMatch(stderr, /the capture is truncated at byte \d+, inside a packet/);
});

Deno.test("A damaged capture is shown as far as it goes, then the offset is reported", async () => {
  const file = pcapFile(PACKETS);
  new DataView(file.buffer).setUint32(24 + 6 * 56 + 8, 0xffffff00, true);
  const { code, stdout, stderr } = await run(outlet("trace", "--read", "-", "--json"), {
    stdin: file,
  });
  assertEquals([code, stdout.split("\n").length], [1, 2]);
  assertMatch(stderr, /damaged: a packet of 4294967040 bytes \(at byte 360\)/);
});

Deno.test("Other files are refused in one line with exit code 1, unreadable ones with 2", async () => {
  const args = outlet("trace", "--read", "-");
  for (const [stdin, complaint] of [["hello world", /neither pcap nor pcapng/], ["", /is empty/]]) {
    const { code, stdout, stderr } = await run(args, { stdin: stdin as string });
    assertEquals([code, stdout, stderr.trim().split("\n").length], [1, "", 1]);
    assertMatch(stderr, complaint as RegExp);
  }
  const missing = await run(outlet("trace", "--read", "/nonexistent/capture.pcap"));
  assertEquals(missing.code, 2);
  assertMatch(missing.stderr, /cannot read \/nonexistent\/capture\.pcap: no such file/);
});

Deno.test("The capture filter admits matching segments, ICMP errors, and packets that may encapsulate them", () => {
  const errors = " or icmp[0] == 3 or icmp[0] == 11 or (icmp6 and (ip6[40] == 1 or ip6[40] == 3))";
  const hosts = [parseAddress("192.0.2.1")!, parseAddress("2001:db8::1")!];
  const [all, wrapped] = filterExpression({ hosts: [], ports: [] }).split(errors);
  assertEquals(all, "(tcp)");
  assertMatch(wrapped!, /^ or not \(ip or ip6 or arp\) or .* or udp dst port 4789/);
  assertEquals(
    filterExpression({ hosts, ports: [80, 81] }),
    "(tcp and (port 80 or port 81) and (host 192.0.2.1 or host 2001:db8::1))" + errors + wrapped,
  );
});

Deno.test("Without tcpdump, a live trace names the package and exits with 1", async () => {
  const { code, stderr } = await run(outlet("trace", "--port", "9"), {
    env: { PATH: "/nonexistent" },
  });
  assertEquals(code, 1);
  assertMatch(stderr, /^outlet: cannot capture: there is no tcpdump in PATH; install [^\n]+\n$/);
});

Deno.test("Without the permission to capture, a live trace names the command that grants it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const refusing = `#!/bin/sh\necho "tcpdump: any: You don't have permission to perform this ` +
      `capture on that device" >&2\nexit 1\n`;
    await Deno.writeTextFile(`${folder}/tcpdump`, refusing, { mode: 0o755 });
    const { code, stderr } = await run(outlet("trace", "--port", "9"), { env: { PATH: folder } });
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^outlet: cannot capture on any: You don't have permission[^\n]+setcap [^\n]+\n$/,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("A trace of stdin ends on SIGINT with what it has read", async () => {
  await using trace = new Program(outlet("trace", "--read", "-"));
  await trace.type(pcapFile(PACKETS));
  await trace.prints(/closed by the client/);
  trace.signal("SIGINT");
  const { code, stdout } = await trace.outcome();
  assertEquals(code, 0);
  assertMatch(stdout, /No answer: the SYN was sent once before the capture ended/);
});

Deno.test("Sockets are printed once without a terminal, of one port if given", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  using _client = await Deno.connect({ port });
  const { code, stdout } = await run(outlet("trace", "--sockets", `${port}`));
  assertEquals(code, 0);
  assertMatch(stdout, new RegExp(`LISTEN +127\\.0\\.0\\.1:${port} .* 1 .*waiting for accept`));
  if (Deno.build.os === "linux") assertMatch(stdout, new RegExp(`LISTEN .* \\S+\\[${Deno.pid}\\]`));
  const rows = stdout.trim().split("\n").slice(1, -1);
  assert(rows.every((row) => row.includes(`:${port}`)));
});

Deno.test("Contradictory options are refused with exit code 2", async () => {
  const wrong = [
    ["--read", "x", "--interface", "lo"],
    ["--json", "--summary"],
    ["--sockets", "--read", "x"],
    ["80"],
    ["--sockets", "eighty"],
  ];
  for (const args of wrong) {
    const { code, stdout } = await run(outlet("trace", ...args));
    assertEquals([code, stdout], [2, ""], args.join(" "));
  }
});
