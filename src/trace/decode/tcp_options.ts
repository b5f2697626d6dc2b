/**
 * TCP header options (IANA, TCP parameters).
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
const MPTCP = 30;
const FAST_OPEN = 34;
const EXPERIMENT_1 = 253;
const EXPERIMENT_2 = 254;

/** Experiment identifier of TCP Fast Open before it had its own kind (RFC 7413, appendix A). */
const FAST_OPEN_EXPERIMENT = 0xf989;

/** Options of one segment. */
export interface TcpOptions {
  /** Maximum segment size in bytes. */
  mss?: number;
  /** Window scale in bits (RFC 7323). */
  windowScale?: number;
  /** SACK permitted (RFC 2018). */
  sackPermitted?: boolean;
  /** SACK blocks as [left, right) edges. */
  sack?: [left: number, right: number][];
  /** Timestamp value (TSval) and echo reply (TSecr). */
  timestamps?: { value: number; echo: number };
  /** TCP Fast Open (RFC 7413): the cookie in hexadecimal, empty in a cookie request. */
  fastOpen?: { cookie: string; isExperimental: boolean };
  /** Multipath TCP (RFC 8684): subtype, and version for MP_CAPABLE. */
  mptcp?: { subtype: number; version?: number };
  /** Options of other kinds, in order. */
  otherOptions?: OtherOption[];
  /** Whether the capture truncated the options. */
  isTruncated?: true;
}

/** An option without a parser of its own. */
export interface OtherOption {
  /** Option kind. */
  kind: number;
  /** Experiment identifier (RFC 6994) of the experimental kinds. */
  experiment?: number;
}

/** Parses TCP options up to the first that is truncated or malformed. */
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

interface Option {
  readonly view: DataView;
  readonly kind: number;
  /** Offset of the content. */
  readonly at: number;
  /** Length of the content in bytes. */
  readonly length: number;
}

function readOption(options: TcpOptions, option: Option): void {
  const { view, kind, at, length } = option;
  if (kind === MAXIMUM_SEGMENT_SIZE && length === 2) options.mss = view.getUint16(at);
  else if (kind === WINDOW_SCALE && length === 1) {
    // RFC 7323, 2.3: a shift above 14 counts as 14.
    options.windowScale = Math.min(view.getUint8(at), 14);
  } else if (kind === SACK_PERMITTED && length === 0) options.sackPermitted = true;
  else if (kind === SACK && length % 8 === 0) options.sack = readBlocks(option);
  else if (kind === TIMESTAMPS && length === 8) {
    options.timestamps = { value: view.getUint32(at), echo: view.getUint32(at + 4) };
  } else if (kind === FAST_OPEN) {
    options.fastOpen = { cookie: hex(option), isExperimental: false };
  } else if (kind === MPTCP && length > 0) options.mptcp = readMptcp(option);
  else if ((kind === EXPERIMENT_1 || kind === EXPERIMENT_2) && length >= 2) {
    readExperiment(options, option);
  } else (options.otherOptions ??= []).push({ kind });
}

function readExperiment(options: TcpOptions, { view, kind, at, length }: Option): void {
  const experiment = view.getUint16(at);
  if (experiment === FAST_OPEN_EXPERIMENT) {
    const cookie = hex({ view, kind, at: at + 2, length: length - 2 });
    options.fastOpen = { cookie, isExperimental: true };
  } else (options.otherOptions ??= []).push({ kind, experiment });
}

/** Only MP_CAPABLE (subtype 0) has a version (RFC 8684, 3.1). */
function readMptcp({ view, at }: Option): { subtype: number; version?: number } {
  const octet = view.getUint8(at);
  const subtype = octet >> 4;
  return subtype === 0 ? { subtype, version: octet & 0x0f } : { subtype };
}

function readBlocks({ view, at, length }: Option): [number, number][] {
  const blocks: [number, number][] = [];
  for (let edge = at; edge < at + length; edge += 8) {
    blocks.push([view.getUint32(edge), view.getUint32(edge + 4)]);
  }
  return blocks;
}

function hex({ view, at, length }: Option): string {
  let digits = "";
  for (let byte = at; byte < at + length; byte += 1) {
    digits += view.getUint8(byte).toString(16).padStart(2, "0");
  }
  return digits;
}
