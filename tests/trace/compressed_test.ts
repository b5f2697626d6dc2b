/** Captures compressed by gzip(1) and zstd(1). */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { decompress } from "../../src/trace/decode/decompress.ts";
import { CaptureError } from "../../src/trace/decode/packet.ts";
import { outlet, run } from "../harness/program.ts";
import { isInstalled } from "../harness/tools.ts";
import { seeded } from "./simulator.ts";
import { datagram, pcapFile } from "./wire.ts";

const TOOLS = { gzip: ["gzip", "-c"], zstd: ["zstd", "-q", "-c"] } as const;
const FORMATS = ["gzip", "zstd"] as const;

function testWith(format: "gzip" | "zstd", name: string, fn: () => Promise<void>): void {
  const isThere = isInstalled(format);
  Deno.test({
    name: `${format}: ${name}${isThere ? "" : ` (ignored: needs ${format})`}`,
    ignore: !isThere,
    fn,
  });
}

async function compressed(format: "gzip" | "zstd", bytes: Uint8Array): Promise<Uint8Array> {
  const [program, ...args] = TOOLS[format];
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const [, { stdout }] = await Promise.all([
    new Blob([bytes.slice()]).stream().pipeTo(child.stdin),
    child.output(),
  ]);
  return stdout;
}

async function* inChunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  // A file reader reuses its buffer.
  const buffer = new Uint8Array(length);
  for (let at = 0; at < bytes.length; at += length) {
    const chunk = bytes.subarray(at, at + length);
    buffer.set(chunk);
    yield buffer.subarray(0, chunk.length);
    buffer.fill(0xee);
  }
}

async function plain(
  bytes: Uint8Array,
  length = 65_536,
): Promise<{ bytes: Uint8Array; cuts: string[] }> {
  const cuts: string[] = [];
  const parts: number[] = [];
  for await (const part of decompress(inChunks(bytes, length), (format) => cuts.push(format))) {
    for (const byte of part) parts.push(byte);
  }
  return { bytes: Uint8Array.from(parts), cuts };
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Partly compressible bytes. */
function content(seed: number, length: number): Uint8Array {
  const random = seeded(seed);
  return Uint8Array.from({ length }, (_, at) => random() < 0.3 ? random() * 256 : at & 31);
}

for (const format of FORMATS) {
  testWith(format, "all members or frames are read in chunks of any size", async () => {
    const [first, second] = [content(1, 300_000), content(2, 5000)];
    const file = join(
      await compressed(format, first),
      await compressed(format, new Uint8Array()),
      await compressed(format, second),
    );
    for (const length of [1000, 65_536, file.length]) {
      const { bytes, cuts } = await plain(file, length);
      assertEquals([bytes, cuts], [join(first, second), []]);
    }
  });

  testWith(format, "truncated data yields what is there, with a notice", async () => {
    const whole = content(3, 20_000);
    const file = await compressed(format, whole);
    for (let length = 4; length < file.length; length += 97) {
      const { bytes, cuts } = await plain(file.subarray(0, length), 512);
      assertEquals(cuts, [format]);
      assertEquals(bytes, whole.slice(0, bytes.length));
    }
  });

  testWith(format, "damaged data is refused without an unhandled error", async () => {
    const file = await compressed(format, content(4, 300_000));
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = seeded(seed);
      const bad = file.slice();
      for (let change = 0; change < 3; change += 1) {
        bad[4 + Math.floor(random() * (bad.length - 4))]! ^= 1 + Math.floor(random() * 255);
      }
      await assertRejects(() => plain(bad), CaptureError, `the ${format} data is damaged`);
    }
  });

  testWith(format, "highly compressed data is decompressed in bounded chunks", async () => {
    const file = await compressed(format, new Uint8Array(64 * 1024 * 1024));
    let total = 0;
    for await (const part of decompress(inChunks(file, 65_536), () => {})) {
      assert(part.length <= 256 * 1024);
      total += part.length;
    }
    assertEquals(total, 64 * 1024 * 1024);
  });

  testWith(format, "outlet trace reads compressed files and stdin", async () => {
    const files = [1, 2].map((seq) => pcapFile([{ bytes: datagram({ seq, sourcePort: seq }) }]));
    const parts = await Promise.all(files.map((file) => compressed(format, file)));
    const stdin = join(...parts);
    const path = await Deno.makeTempFile();
    try {
      await Deno.writeFile(path, stdin);
      for (const [args, input] of [[path, undefined], ["-", stdin]] as const) {
        const trace = outlet("trace", "--read", args, "--json");
        const { code, stdout, stderr } = await run(
          trace,
          input === undefined ? {} : { stdin: input },
        );
        const isns = stdout.trim().split("\n").map((line) => JSON.parse(line).client.isn);
        assertEquals([code, isns, stderr], [0, [1, 2], ""]);
      }
      await Deno.writeFile(path, stdin.subarray(0, stdin.length - 3));
      const truncated = await run(outlet("trace", "--read", path, "--json"));
      assertStringIncludes(truncated.stderr, `the ${format} data is truncated`);
      assertEquals(JSON.parse(truncated.stdout.split("\n")[0]!).client.isn, 1);
    } finally {
      await Deno.remove(path);
    }
  });
}

testWith("zstd", "skippable frames are skipped", async () => {
  const skipped = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
  const empty = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0);
  const file = await compressed("zstd", content(5, 100));
  for (const length of [1, 7, 1000]) {
    const { bytes, cuts } = await plain(join(skipped, empty, file, skipped, file, empty), length);
    assertEquals([bytes, cuts], [join(content(5, 100), content(5, 100)), []]);
  }
  assertEquals((await plain(skipped.subarray(0, 10))).cuts, ["zstd"]);
});

testWith("zstd", "long distances, high levels and frames without checksum are read", async () => {
  const whole = content(6, 700_000);
  for (const option of ["--long=27", "-19", "--no-check", "--fast=5"]) {
    const child = new Deno.Command("zstd", {
      args: ["-q", "-c", option],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const [, { stdout }] = await Promise.all([
      new Blob([whole.slice()]).stream().pipeTo(child.stdin),
      child.output(),
    ]);
    assertEquals((await plain(stdout)).bytes, whole, option);
  }
});

Deno.test("Other files are refused with their name and format", async () => {
  const passwd = await run(outlet("trace", "--read", "/etc/passwd"));
  assertEquals([passwd.code, passwd.stdout], [1, ""]);
  assertEquals(
    passwd.stderr,
    "outlet: cannot read /etc/passwd: not a capture: " +
      "text, neither pcap nor pcapng\n",
  );
  const empty = await run(outlet("trace", "--read", "/dev/null"));
  assertMatch(empty.stderr, /^outlet: cannot read \/dev\/null: the capture is empty\n$/);
  const xz = await run(outlet("trace", "--read", "-"), {
    stdin: Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0),
  });
  assertMatch(xz.stderr, /^outlet: cannot read stdin: .*xz -dc\n$/);
});
