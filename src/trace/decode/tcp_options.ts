/**
 * The options of a TCP header, by the numbers of IANA's registry of TCP parameters.
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

/** The experiment identifier of TCP Fast Open before it had a kind of its own (RFC 7413, appendix). */
const FAST_OPEN_EXPERIMENT = 0xf989;

/** The options that a segment carried. */
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
  /** TCP Fast Open (RFC 7413): the cookie in hexadecimal digits, none where one is asked for. */
  fastOpen?: { cookie: string; isExperimental: boolean };
  /** Multipath TCP (RFC 8684): what the option is about, and the version where it tells one. */
  mptcp?: { subtype: number; version?: number };
  /** Options of other kinds, in their order. */
  otherOptions?: OtherOption[];
  /** Whether the capture holds only the first of the options. */
  isTruncated?: true;
}

/** An option that is known by its number only. */
export interface OtherOption {
  /** Its kind. */
  kind: number;
  /** Its experiment identifier (RFC 6994), where the kind is one for experiments. */
  experiment?: number;
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

interface Option {
  readonly view: DataView;
  readonly kind: number;
  /** Where its content begins. */
  readonly at: number;
  /** How long its content is. */
  readonly length: number;
}

function readOption(options: TcpOptions, option: Option): void {
  const { view, kind, at, length } = option;
  if (kind === MAXIMUM_SEGMENT_SIZE && length === 2) options.mss = view.getUint16(at);
  else if (kind === WINDOW_SCALE && length === 1) {
    // RFC 7323, section 2.3: more than 14 counts as 14.
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

/** RFC 8684, section 3.1: only MP_CAPABLE, subtype 0, tells a version. */
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
