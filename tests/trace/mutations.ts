/**
 * Modifies captures at random, and traces them.
 *
 * @module
 */
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { TraceOptions } from "../../src/config/trace_config.ts";
import { trace } from "../../src/trace.ts";
import { decompress } from "../../src/trace/decode/decompress.ts";
import { CaptureError } from "../../src/trace/decode/packet.ts";
import { seeded } from "./simulator.ts";
import { datagram, pcapFile, pcapngFile } from "./wire.ts";
import { everyEncapsulation } from "./encapsulations.ts";

const FOLDER = new URL("captures/", import.meta.url);
/** Captures are cut to this length, in bytes. */
const LONGEST = 6000;

/** The captures in `captures/`, and one of every encapsulation. */
export function sources(): Uint8Array[] {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).toSorted()
    .map((name) => Deno.readFileSync(new URL(name, FOLDER)).subarray(0, LONGEST));
  const fields = { flags: "SEC", options: [2, 4, 5, 180, 34, 2, 30, 4, 1, 0, 1, 1] };
  const all = everyEncapsulation(datagram(fields));
  const wrapped = [...Map.groupBy(all, ({ link }) => link)].flatMap(([link, packets]) => [
    pcapFile(packets, { link }),
    pcapngFile(packets, { link, littleEndian: false, nanoseconds: true }),
  ]);
  const plain = [...files, ...wrapped];
  return [
    ...plain,
    ...plain.slice(0, 4).map((file) => new Uint8Array(gzipSync(file))),
    ...plain.slice(0, 4).map((file) => new Uint8Array(zstdCompressSync(file))),
  ];
}

const NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0xfffffff0, 0xffffffff];

/** A randomly modified capture, the same for the same seed. */
export function mutated(files: readonly Uint8Array[], seed: number): Uint8Array {
  const random = seeded(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  let bytes: Uint8Array = files[below(files.length)]!.slice();
  const changes = 1 + below(8);
  for (let change = 0; change < changes && bytes.length > 8; change += 1) {
    bytes = changed(bytes, { below, other: files[below(files.length)]! });
  }
  return bytes;
}

function changed(
  bytes: Uint8Array,
  { below, other }: { below: (limit: number) => number; other: Uint8Array },
): Uint8Array {
  const at = below(bytes.length - 4);
  const length = 1 + below(64);
  switch (below(9)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 2:
      return joined(bytes.subarray(0, at + length), bytes.subarray(at));
    case 3:
      return joined(bytes.subarray(0, at), other.subarray(below(other.length)));
    case 4:
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, NUMBERS[below(NUMBERS.length)]!);
      return bytes;
    case 5:
      new DataView(bytes.buffer, bytes.byteOffset).setUint16(at, below(65_536), true);
      return bytes;
    case 6:
      bytes[at]! ^= 1 << below(8);
      return bytes;
    default:
      bytes[at] = below(256);
      return bytes;
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const all = new Uint8Array(head.length + tail.length);
  all.set(head);
  all.set(tail, head.length);
  return all;
}

const OPTIONS: TraceOptions = {
  interface: "any",
  host: [],
  port: [],
  read: "-",
  json: false,
  summary: false,
  count: undefined,
  svg: undefined,
  relative: false,
  flows: 16,
  sockets: false,
};

const MODES: Partial<TraceOptions>[] = [
  {},
  { json: true },
  { summary: true },
  { svg: "-", relative: true },
];

/** Control characters except line feed. */
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f]/;

/**
 * Traces a capture in one of the output modes and returns the output.
 *
 * @throws {Error} if the trace fails other than by {@linkcode CaptureError}
 */
export async function traceAny(file: Uint8Array, seed: number): Promise<string> {
  const options = { ...OPTIONS, ...MODES[seed % MODES.length] };
  let shown = "";
  const ends = {
    chunks: decompress(inChunks(file, 1 + seed % 977), () => {}),
    filter: { hosts: [], ports: seed % 11 === 0 ? [80] : [] },
    isLive: false,
    isStream: seed % 2 === 0,
    color: false,
    write(text: string): Promise<void> {
      shown += text;
      return Promise.resolve();
    },
    log: (line: string) => void (shown += line),
  };
  try {
    const svg = await trace(options, ends);
    shown += svg ?? "";
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    shown += error.message;
  }
  const escape = CONTROL.exec(shown);
  if (escape !== null) throw new Error(`control character ${JSON.stringify(escape[0])} in output`);
  for (const line of options.json ? shown.split("\n").filter(isObject) : []) JSON.parse(line);
  return shown;
}

function isObject(line: string): boolean {
  return line.startsWith("{") && line.endsWith("}");
}

async function* inChunks(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
