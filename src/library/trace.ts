/**
 * Reads TCP handshakes from a capture.
 *
 * @module
 */
import { CapturePipeline } from "../trace/track/capture_pipeline.ts";
import { type IpAddress, parseAddress } from "../trace/decode/ip_address.ts";
import { decompress } from "../trace/decode/decompress.ts";
import { CaptureError } from "../trace/decode/packet.ts";
import { omissionLines } from "../trace/report/omissions.ts";
import { type HandshakeRecord, recordOf } from "../trace/report/record.ts";
import { Tracker } from "../trace/track/tracker.ts";
import { UsageError } from "../options/usage_error.ts";
import { explain } from "../transport/errors.ts";

export { CaptureError } from "../trace/decode/packet.ts";
export type { FlowOutcome, Outcome } from "../trace/report/outcome.ts";
export type { SynRecord } from "../trace/report/syn_options.ts";
export type { Role, State } from "../trace/track/state.ts";
export type { EndRecord, HandshakeRecord } from "../trace/report/record.ts";

/** How many bytes of a capture are decoded at a time. */
const CHUNK = 64 * 1024;

/** Which handshakes to return. */
export interface HandshakeOptions {
  /** Only connections of these IP addresses. */
  readonly hosts?: readonly string[];
  /** Only connections of these ports. */
  readonly ports?: readonly number[];
  /** Called with lines about what was left out: packets that are not TCP or malformed, a truncated capture. */
  readonly onNote?: (line: string) => void;
}

/**
 * Yields the handshakes of a capture (pcap or pcapng, optionally compressed with gzip or zstd) as their outcomes
 * become known: the objects that `outlet trace --json` prints.
 *
 * ```ts
 * import { handshakesOf } from "@outlet/outlet/trace";
 *
 * async function failures(path: string): Promise<string[]> {
 *   const found: string[] = [];
 *   for await (const { verdict, words } of handshakesOf(path, { ports: [7000] })) {
 *     if (verdict !== "established") found.push(words);
 *   }
 *   return found;
 * }
 * ```
 *
 * @param capture is its path, its bytes, or a stream of them
 * @throws {CaptureError} where it is damaged, after the handshakes before the damage
 * @throws {UsageError} where a host is not an IP address
 */
export async function* handshakesOf(
  capture: string | URL | Uint8Array | AsyncIterable<Uint8Array>,
  { hosts = [], ports = [], onNote = () => {} }: HandshakeOptions = {},
): AsyncGenerator<HandshakeRecord, void> {
  const found: HandshakeRecord[] = [];
  const tracker = new Tracker({
    reusesFlows: true,
    onFlow: (flow) => void found.push(recordOf(flow)),
  });
  const pipeline = new CapturePipeline(tracker, { hosts: hosts.map(readHost), ports });
  let damage: CaptureError | undefined;
  const onCut = (format: string) => onNote(`the ${format} data is truncated`);
  try {
    for await (const chunk of decompress(chunksOf(capture), onCut)) {
      pipeline.feed(chunk);
      yield* found.splice(0);
    }
    pipeline.reader.finish();
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    damage = error;
  }
  pipeline.finish();
  tracker.finish();
  yield* found.splice(0);
  reportLeftOut(pipeline, onNote);
  if (damage !== undefined) throw damage;
  checkUnderstood(pipeline);
}

function reportLeftOut(
  { reader, counters }: CapturePipeline,
  onNote: (line: string) => void,
): void {
  if (reader.truncatedAt !== undefined) {
    onNote(`the capture is truncated at byte ${reader.truncatedAt}, inside a packet`);
  }
  if (reader.packetsWithoutTime > 0) {
    onNote(`${reader.packetsWithoutTime} packets have no timestamp`);
  }
  for (const line of omissionLines(counters, { isSummary: false })) onNote(line);
}

/** @throws {CaptureError} where no packet was understood */
function checkUnderstood({ counters }: CapturePipeline): void {
  if (counters.segments === 0 && counters.withoutTcp.size === 0 && counters.undecodable.size > 0) {
    throw new CaptureError("no packet in it could be decoded");
  }
}

function readHost(host: string): IpAddress {
  const words = parseAddress(host);
  if (words !== undefined) return words;
  throw new UsageError(`hosts: ${JSON.stringify(host)}: expected an IPv4 or an IPv6 address`);
}

async function* chunksOf(
  capture: string | URL | Uint8Array | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (typeof capture === "string" || capture instanceof URL) return yield* readFile(capture);
  if (!(capture instanceof Uint8Array)) return yield* capture;
  for (let at = 0; at < capture.length; at += CHUNK) yield capture.subarray(at, at + CHUNK);
}

async function* readFile(path: string | URL): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path).catch((cause) => {
    throw new Error(`cannot read ${path}: ${explain(cause)}`, { cause });
  });
  const buffer = new Uint8Array(CHUNK);
  for (;;) {
    const length = await file.read(buffer);
    if (length === null) return;
    yield buffer.subarray(0, length);
  }
}
