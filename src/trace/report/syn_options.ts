/**
 * What a SYN, or a SYN+ACK, offered: its options and its ECN bits, in words and as plain data.
 *
 * @module
 */
import { ACK, AE, CWR, ECE } from "../decode/segment.ts";
import type { OtherOption, TcpOptions } from "../decode/tcp_options.ts";

/** A SYN, or a SYN+ACK, as far as its words depend on it. */
export interface SynOffer {
  /** Its control bits. */
  readonly flags: number;
  /** Its options. */
  readonly options: TcpOptions;
}

/** What a SYN, or a SYN+ACK, offered, as `outlet trace --json` prints it. */
export interface SynRecord {
  /** The longest segment that its sender takes. */
  readonly mss: number | null;
  /** By how many bits its sender's window is shifted. */
  readonly windowScale: number | null;
  /** Whether its sender takes selective acknowledgements. */
  readonly sackPermitted: boolean;
  /** Its sender's clock, and the other end's clock that it echoes. */
  readonly timestamps: { readonly value: number; readonly echo: number } | null;
  /** TCP Fast Open: what became of the cookie, and the cookie in hexadecimal digits. */
  readonly fastOpen: {
    readonly cookie: string;
    readonly what: "asked" | "given" | "used" | "none";
    readonly experimental: boolean;
  } | null;
  /** Multipath TCP: the name of the option's subtype, and the version where it tells one. */
  readonly mptcp: { readonly subtype: string; readonly version: number | null } | null;
  /** The numbers of options of other kinds. */
  readonly otherKinds: readonly number[];
  /** The ECN bits that are set. */
  readonly ecnBits: readonly ("AE" | "CWR" | "ECE")[];
}

/** What a SYN offered, as plain data. */
export function recordOfSyn({ flags, options }: SynOffer): SynRecord {
  const { fastOpen, mptcp } = options;
  return {
    mss: options.mss ?? null,
    windowScale: options.windowScale ?? null,
    sackPermitted: options.sackPermitted ?? false,
    timestamps: options.timestamps ?? null,
    fastOpen: fastOpen === undefined ? null : {
      cookie: fastOpen.cookie,
      what: fastOpenStep(flags, fastOpen.cookie),
      experimental: fastOpen.isExperimental,
    },
    mptcp: mptcp === undefined
      ? null
      : { subtype: mptcpName(mptcp.subtype), version: mptcp.version ?? null },
    otherKinds: (options.otherOptions ?? []).map(({ kind }) => kind),
    ecnBits: ecnBits(flags),
  };
}

/** What a SYN offered, in tcpdump's words, such as `mss 1460, sackOK, wscale 7`. */
export function describeSyn({ flags, options }: SynOffer): string {
  const { mss, windowScale, timestamps, fastOpen, mptcp, otherOptions = [] } = options;
  const words: string[] = [];
  if (mss !== undefined) words.push(`mss ${mss}`);
  if (options.sackPermitted) words.push("sackOK");
  if (timestamps !== undefined) words.push(`TS val ${timestamps.value} ecr ${timestamps.echo}`);
  if (windowScale !== undefined) words.push(`wscale ${windowScale}`);
  if (fastOpen !== undefined) words.push(fastOpenText(flags, fastOpen));
  if (mptcp !== undefined) words.push(mptcpText(mptcp));
  words.push(...otherOptions.map(otherOptionText));
  if (options.isTruncated) words.push("the rest of the options was not captured");
  const bits = ecnBits(flags);
  if (bits.length > 0) words.push(`ECN: ${bits.join("+")}`);
  return words.length === 0 ? NOTHING : words.join(", ");
}

const NOTHING = "no options";

/** What each SYN offered, a line each; of those that were sent again, what they offered otherwise. */
export function describeSyns(syns: readonly SynOffer[]): string[] {
  if (syns.every((syn) => describeSyn(syn) === NOTHING)) return [];
  const lines = new Map<string, string>();
  const seen = new Set<string>();
  for (const { flags, options } of syns) {
    const name = (flags & ACK) === 0 ? "SYN" : "SYN+ACK";
    // The clock goes on from one to the next.
    const { timestamps: _, ...lasting } = options;
    const key = `${name} ${describeSyn({ flags, options: lasting })}`;
    const title = seen.has(name) ? `${name} again` : name;
    if (!lines.has(key)) lines.set(key, `${title}: ${describeSyn({ flags, options })}`);
    seen.add(name);
  }
  return [...lines.values()];
}

/** The accurate ECN bit (RFC 9768) and those of RFC 3168. */
function ecnBits(flags: number): ("AE" | "CWR" | "ECE")[] {
  const bits: ("AE" | "CWR" | "ECE")[] = [];
  if ((flags & AE) !== 0) bits.push("AE");
  if ((flags & CWR) !== 0) bits.push("CWR");
  if ((flags & ECE) !== 0) bits.push("ECE");
  return bits;
}

function fastOpenStep(flags: number, cookie: string): "asked" | "given" | "used" | "none" {
  const isAnswer = (flags & ACK) !== 0;
  if (cookie === "") return isAnswer ? "none" : "asked";
  return isAnswer ? "given" : "used";
}

function fastOpenText(
  flags: number,
  { cookie, isExperimental }: { cookie: string; isExperimental: boolean },
): string {
  const step = fastOpenStep(flags, cookie);
  const kind = isExperimental ? " (experimental kind)" : "";
  if (step === "asked") return `TFO cookie asked for${kind}`;
  return step === "none" ? `TFO without a cookie${kind}` : `TFO cookie ${cookie} ${step}${kind}`;
}

const MPTCP_SUBTYPES = [
  ...["MP_CAPABLE", "MP_JOIN", "DSS", "ADD_ADDR", "REMOVE_ADDR", "MP_PRIO", "MP_FAIL"],
  ...["MP_FASTCLOSE", "MP_TCPRST"],
];

function mptcpName(subtype: number): string {
  return MPTCP_SUBTYPES[subtype] ?? `subtype ${subtype}`;
}

function mptcpText({ subtype, version }: { subtype: number; version?: number }): string {
  return `MPTCP ${mptcpName(subtype)}${version === undefined ? "" : ` v${version}`}`;
}

const KIND_NAMES: Readonly<Record<number, string>> = {
  19: "MD5 signature",
  28: "user timeout",
  29: "TCP-AO",
  172: "AccECN order 0",
  174: "AccECN order 1",
};

function otherOptionText({ kind, experiment }: OtherOption): string {
  if (experiment !== undefined) {
    return `option ${kind} (experiment 0x${experiment.toString(16).padStart(4, "0")})`;
  }
  const name = KIND_NAMES[kind];
  return name === undefined ? `option ${kind}` : `option ${kind} (${name})`;
}
