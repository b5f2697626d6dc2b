/**
 * The options of a TCP header.
 *
 * @module
 */
const END_OF_LIST = 0;
const NO_OPERATION = 1;
const MAXIMUM_SEGMENT_SIZE = 2;
const WINDOW_SCALE = 3;
const SACK_PERMITTED = 4;
const SACK = 5;
const TIMESTAMPS = 8;

/** The options of RFC 9293, RFC 7323 and RFC 2018 that a segment carried. */
export interface TcpOptions {
  /** The longest segment the sender takes. */
  mss?: number;
  /** By how many bits the sender's window is shifted. */
  windowScale?: number;
  /** Whether the sender takes selective acknowledgements. */
  sackPermitted?: boolean;
  /** The blocks that arrived out of order, as [left, right) edges. */
  sack?: [left: number, right: number][];
  /** The sender's clock, and the clock of the other end that it echoes. */
  timestamps?: { value: number; echo: number };
}

/** Reads TCP options; what is cut short or makes no sense ends the list. */
export function readTcpOptions(view: DataView, start: number, end: number): TcpOptions {
  const options: TcpOptions = {};
  let at = start;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === END_OF_LIST) break;
    if (kind === NO_OPERATION) {
      at += 1;
      continue;
    }
    const length = at + 1 < end ? view.getUint8(at + 1) : 0;
    if (length < 2 || at + length > end) break;
    readOption(options, { view, kind, at: at + 2, length: length - 2 });
    at += length;
  }
  return options;
}

function readOption(
  options: TcpOptions,
  { view, kind, at, length }: { view: DataView; kind: number; at: number; length: number },
): void {
  if (kind === MAXIMUM_SEGMENT_SIZE && length === 2) options.mss = view.getUint16(at);
  else if (kind === WINDOW_SCALE && length === 1) {
    // RFC 7323, section 2.3: more than 14 counts as 14.
    options.windowScale = Math.min(view.getUint8(at), 14);
  } else if (kind === SACK_PERMITTED && length === 0) options.sackPermitted = true;
  else if (kind === SACK && length % 8 === 0) options.sack = readBlocks(view, at, length);
  else if (kind === TIMESTAMPS && length === 8) {
    options.timestamps = { value: view.getUint32(at), echo: view.getUint32(at + 4) };
  }
}

function readBlocks(view: DataView, at: number, length: number): [number, number][] {
  const blocks: [number, number][] = [];
  for (let edge = at; edge < at + length; edge += 8) {
    blocks.push([view.getUint32(edge), view.getUint32(edge + 4)]);
  }
  return blocks;
}
