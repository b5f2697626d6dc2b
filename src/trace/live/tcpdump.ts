/**
 * Captures packets with tcpdump.
 *
 * @module
 */
import { addressText } from "../decode/ip_address.ts";
import { TUNNEL_PORTS } from "../decode/tunnels.ts";
import type { Filter } from "../track/capture_pipeline.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";

const tasks = new TaskScope("ending tcpdump with the process", {
  consequence: "it ends when it captures again",
});

/**
 * Snapshot length: covers all headers, one or two tunnels, and the datagram quoted in an ICMP
 * error.
 */
const SNAP_LENGTH = 512;

/** Options of {@linkcode Tcpdump.start}. */
export interface TcpdumpOptions extends Filter {
  /** Interface; `any` for all. */
  readonly interface: string;
}

/** Capturing is not possible; the message says why and what to do. */
export class NoCaptureError extends Error {
  /** Name of the error. */
  override readonly name = "NoCaptureError";
}

/** A running tcpdump. Disposing it ends it. */
export class Tcpdump implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stderr: StderrText;
  readonly #device: string;

  private constructor(child: Deno.ChildProcess, device: string) {
    this.#child = child;
    this.#device = device;
    this.#stderr = new StderrText(child.stderr);
    // A child process is not killed when its parent exits.
    addEventListener("unload", this.#endOnUnload);
  }

  /**
   * Starts tcpdump; resolves when it captures.
   *
   * @throws {NoCaptureError} without tcpdump, or without the permission to capture
   */
  static async start(options: TcpdumpOptions): Promise<Tcpdump> {
    // Some link types have no kernel filter; then everything is captured and filtered here.
    let stderr = "";
    for (const filter of [filterExpression(options), ""]) {
      const tcpdump = new Tcpdump(spawn(options.interface, filter), options.interface);
      if (await tcpdump.#stderr.shows(/listening on /)) return tcpdump;
      await tcpdump[Symbol.asyncDispose]();
      stderr = tcpdump.#stderr.text;
      if (!/filtering not implemented/.test(stderr)) break;
    }
    throw new NoCaptureError(captureFailure(options.interface, stderr));
  }

  /** Yields the capture in pcap format until tcpdump ends. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#child.stdout) yield chunk;
    const { success } = await this.#child.status;
    await this.#stderr.ended;
    if (!success && !this.#isEnding) {
      throw new NoCaptureError(captureFailure(this.#device, this.#stderr.text));
    }
  }

  /** Packets dropped by the kernel; known after tcpdump has ended. */
  get dropped(): number {
    return Number(/(\d+) packets? dropped by kernel/.exec(this.#stderr.text)?.[1] ?? 0);
  }

  #isEnding = false;
  readonly #endOnUnload = tasks.guard(() => this.end());

  /** Asks tcpdump to flush its output and end. */
  end(): void {
    this.#isEnding = true;
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // tcpdump has already ended.
    }
  }

  /** Ends tcpdump and waits for its exit. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    removeEventListener("unload", this.#endOnUnload);
    if (!this.#child.stdout.locked) await this.#child.stdout.cancel();
    await this.#child.status;
    await this.#stderr.ended;
  }
}

/** IP protocols of tunnels: IP in IP, GRE, AH, EtherIP, MPLS, Ethernet. */
const TUNNEL_PROTOCOLS = [4, 41, 47, 51, 97, 137, 143];

/**
 * The capture filter (pcap-filter(7)): matching TCP segments, ICMP errors, and packets that may
 * encapsulate TCP, which only the decoder can tell.
 */
export function filterExpression({ hosts, ports }: Filter): string {
  const clauses = ["tcp"];
  if (ports.length > 0) clauses.push(anyOf(ports.map((port) => `port ${port}`)));
  if (hosts.length > 0) clauses.push(anyOf(hosts.map((host) => `host ${addressText(host)}`)));
  // ICMP errors may come from any host; the tracker matches the quoted segment.
  return `(${clauses.join(" and ")}) or icmp[0] == 3 or icmp[0] == 11 or ` +
    `(icmp6 and (ip6[40] == 1 or ip6[40] == 3)) or ${MAY_CONTAIN_TCP}`;
}

/** VLANs and other non-IP frames, fragments, tunnels, and IPv6 with extension headers. */
const MAY_CONTAIN_TCP = [
  "not (ip or ip6 or arp)",
  "ip[6:2] & 0x3fff != 0",
  `(ip and ${anyOf(TUNNEL_PROTOCOLS.map((protocol) => `proto ${protocol}`))})`,
  "(ip6 and not (ip6[6] == 6 or ip6[6] == 17 or ip6[6] == 58))",
  ...TUNNEL_PORTS.map((port) => `udp dst port ${port}`),
].join(" or ");

function anyOf(clauses: readonly string[]): string {
  return `(${clauses.join(" or ")})`;
}

function spawn(device: string, filter: string): Deno.ChildProcess {
  const snapLength = String(SNAP_LENGTH);
  // PATH first, then the directories that are often missing from it.
  const path = `${Deno.env.get("PATH") ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`;
  try {
    return new Deno.Command("tcpdump", {
      args: [
        ...["-i", device, "-n", "-U", "--immediate-mode", "-s", snapLength],
        ...["-w", "-", "--", filter],
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
      env: { PATH: path, LC_ALL: "C" },
    }).spawn();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new NoCaptureError(
      "cannot capture: there is no tcpdump in PATH; install the package tcpdump, " +
        "or capture elsewhere and read that: outlet trace --read FILE",
    );
  }
}

function captureFailure(device: string, stderr: string): string {
  const reason = stderr.split("\n").find((line) => line.startsWith("tcpdump: ")) ?? stderr;
  const isForbidden = /permi(ssion|tted)/i.test(stderr);
  const grant = "; grant it with: " +
    'sudo setcap cap_net_raw,cap_net_admin=eip "$(command -v tcpdump)"';
  const message = reason.trim().replace("tcpdump: ", "").replace(`${device}: `, "");
  return `cannot capture on ${device}: ${message}` +
    (isForbidden ? grant : "");
}

/** Collects the first and last part of a stderr stream. */
class StderrText {
  text = "";
  readonly ended: Promise<void>;
  #wake: () => void = () => {};
  #hasEnded = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#collect(stream);
  }

  /** Waits for the pattern; `false` if the stream ends without it. */
  async shows(pattern: RegExp): Promise<boolean> {
    while (!pattern.test(this.text) && !this.#hasEnded) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return pattern.test(this.text);
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      const text = this.text + decoder.decode(chunk, { stream: true });
      this.text = text.length > MAX_STDERR_LENGTH
        ? text.slice(0, MAX_STDERR_LENGTH / 2) + text.slice(-MAX_STDERR_LENGTH / 2)
        : text;
      this.#wake();
    }
    this.#hasEnded = true;
    this.#wake();
  }
}

const MAX_STDERR_LENGTH = 8192;
