/**
 * TCP options and ECN bits of SYN and SYN+ACK, as text and as JSON.
 *
 * @module
 */
import { ACK, AE, CWR, ECE } from "../decode/segment.ts";
import type { OtherOption, TcpOptions } from "../decode/tcp_options.ts";

/** Control bits and options of a SYN or SYN+ACK. */
export interface SynOffer {
  /** Control bits. */
  readonly flags: number;
  /** Options. */
  readonly options: TcpOptions;
}

/** Options of a SYN or SYN+ACK as printed by `outlet trace --json`. */
export interface SynRecord {
  /** Maximum segment size in bytes. */
  readonly mss: number | null;
  /** Window scale in bits. */
  readonly windowScale: number | null;
  /** SACK permitted. */
  readonly sackPermitted: boolean;
  /** Timestamp value and echo reply. */
  readonly timestamps: { readonly value: number; readonly echo: number } | null;
  /** TCP Fast Open: the cookie in hexadecimal and its use. */
  readonly fastOpen: {
    readonly cookie: string;
    readonly what: "asked" | "given" | "used" | "none";
    readonly experimental: boolean;
  } | null;
  /** Multipath TCP: name of the subtype, and version if present. */
  readonly mptcp: { readonly subtype: string; readonly version: number | null } | null;
  /** Kinds of other options. */
  readonly otherKinds: readonly number[];
  /** ECN bits that are set. */
  readonly ecnBits: readonly ("AE" | "CWR" | "ECE")[];
}

/** Converts a SYN to its JSON object. */
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

/** Describes a SYN as tcpdump does, such as `mss 1460, sackOK, wscale 7`. */
export function describeSyn({ flags, options }: SynOffer): string {
  const { mss, windowScale, timestamps, fastOpen, mptcp, otherOptions = [] } = options;
  const parts: string[] = [];
  if (mss !== undefined) parts.push(`mss ${mss}`);
  if (options.sackPermitted) parts.push("sackOK");
  if (timestamps !== undefined) parts.push(`TS val ${timestamps.value} ecr ${timestamps.echo}`);
  if (windowScale !== undefined) parts.push(`wscale ${windowScale}`);
  if (fastOpen !== undefined) parts.push(fastOpenText(flags, fastOpen));
  if (mptcp !== undefined) parts.push(mptcpText(mptcp));
  parts.push(...otherOptions.map(otherOptionText));
  if (options.isTruncated) parts.push("the rest of the options was not captured");
  const bits = ecnBits(flags);
  if (bits.length > 0) parts.push(`ECN: ${bits.join("+")}`);
  return parts.length === 0 ? NOTHING : parts.join(", ");
}

const NOTHING = "no options";

/** Describes SYNs, one line each; retransmissions only if their options differ. */
export function describeSyns(syns: readonly SynOffer[]): string[] {
  if (syns.every((syn) => describeSyn(syn) === NOTHING)) return [];
  const lines = new Map<string, string>();
  const seen = new Set<string>();
  for (const { flags, options } of syns) {
    const name = (flags & ACK) === 0 ? "SYN" : "SYN+ACK";
    // Timestamps differ in every retransmission.
    const { timestamps: _, ...lasting } = options;
    const key = `${name} ${describeSyn({ flags, options: lasting })}`;
    const title = seen.has(name) ? `${name} again` : name;
    if (!lines.has(key)) lines.set(key, `${title}: ${describeSyn({ flags, options })}`);
    seen.add(name);
  }
  return [...lines.values()];
}

/** ECN bits (RFC 9768 and RFC 3168). */
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
