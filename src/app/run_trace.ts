/**
 * `outlet trace` as a process: reads from tcpdump, a file or stdin, and writes to stdout.
 *
 * @module
 */
import { pathFault } from "../config/path_fault.ts";
import type { TraceConfig, TraceOptions } from "../config/trace_config.ts";
import { type IpAddress, parseAddress } from "../trace/decode/ip_address.ts";
import { CaptureError } from "../trace/decode/packet.ts";
import { decompress } from "../trace/decode/decompress.ts";
import { ListenerWatch } from "../trace/kernel/listener_watch.ts";
import { Tcpdump } from "../trace/live/tcpdump.ts";
import { UsageError } from "../options/usage_error.ts";
import { printable } from "../terminal/printable.ts";
import { lookUp } from "../transport/dial_address.ts";
import { explain } from "../transport/errors.ts";
import { trace } from "../trace.ts";
import { showSockets } from "./show_sockets.ts";
import { flushStdio, stderr, stdinChunks, writeStdout } from "../terminal/stdio.ts";
import { withTicks } from "./ticks.ts";
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("ending the capture", {
  consequence: "a second signal ends it",
});

const encoder = new TextEncoder();

/** How often a live trace checks for attempts that have timed out, in milliseconds. */
const TICK = 1000;

/** How many bytes of a file are read at a time. */
const CHUNK = 256 * 1024;

/**
 * Shows handshakes, or the kernel's sockets, until the end of the input or until the signal is aborted.
 *
 * @throws {Error} which says what cannot be captured or read, and what to do
 */
export async function runTraceMode(
  { options }: TraceConfig,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  await using _end = { [Symbol.asyncDispose]: flushStdio };
  if (options.sockets) return await showSockets(options.port, { signal, show: write });
  if (options.svg !== undefined) await refuseUnwritable(options.svg);
  const hosts = (await Promise.all(options.host.map(addressesOf))).flat();
  const filter = { hosts, ports: options.port };
  const svg = options.read === undefined
    ? await traceLive(options, { filter, signal })
    : await traceCapture(options, { filter, signal, path: options.read });
  if (svg !== undefined) await Deno.writeTextFile(options.svg!, svg);
}

/**
 * Traces a capture from a file or stdin.
 *
 * @throws {Error} which names the file, and says what is wrong with it
 */
async function traceCapture(
  options: TraceOptions,
  { filter, signal, path }: { filter: Filter; signal: AbortSignal; path: string },
): Promise<string | undefined> {
  const { log } = traceOutput();
  const onCut = (format: string) => log(`the ${format} data is truncated: packets may be missing`);
  const isStream = path === "-";
  const chunks = withTicks(decompress(openCapture(path), onCut), {
    signal,
    ...isStream ? { interval: TICK } : {},
  });
  try {
    return await trace(options, { ...traceOutput(), filter, isLive: false, isStream, chunks });
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    throw new Error(`cannot read ${isStream ? "stdin" : path}: ${error.message}`, { cause: error });
  }
}

type Filter = { readonly hosts: readonly IpAddress[]; readonly ports: readonly number[] };

async function traceLive(
  options: TraceOptions,
  { filter, signal }: { filter: Filter; signal: AbortSignal },
): Promise<string | undefined> {
  await using tcpdump = await Tcpdump.start({ ...filter, interface: options.interface });
  const kernel = new ListenerWatch();
  const { log } = traceOutput();
  const stop = tasks.guard(() => tcpdump.end());
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop, { once: true });
  log(`capturing on ${options.interface}; stop with Ctrl-C`);
  const svg = await trace(options, {
    ...traceOutput(),
    filter,
    isLive: true,
    // On SIGINT, tcpdump writes what it has buffered, and then exits.
    chunks: withTicks(tcpdump.chunks(), { interval: TICK }),
    listenerState: (flow) => kernel.stateFor(flow),
  });
  if (tcpdump.dropped > 0) {
    log(`the kernel dropped ${tcpdump.dropped} packets, because tcpdump read too slowly`);
  }
  return svg;
}

function traceOutput() {
  return {
    color: Deno.stdout.isTerminal() && !Deno.noColor,
    write,
    log: (line: string) => stderr.writeLine(`outlet: ${printable(line)}`),
  };
}

async function write(text: string): Promise<void> {
  await writeStdout(encoder.encode(text));
}

/** Refuses a file before the trace that could not be written after it. */
async function refuseUnwritable(path: string): Promise<void> {
  const fault = await pathFault(path, "append");
  if (fault !== undefined) throw new UsageError(`--svg ${path}: cannot be written: ${fault}`);
}

async function* openCapture(path: string): AsyncGenerator<Uint8Array> {
  if (path === "-") return yield* stdinChunks();
  const describe = (error: unknown) => `cannot read ${path}: ${explain(error)}`;
  const refuse = (cause: unknown) => {
    throw new UsageError(describe(cause), { cause });
  };
  using file = await Deno.open(path).catch(refuse);
  const buffer = new Uint8Array(CHUNK);
  // A directory can be opened, too.
  let length = await file.read(buffer).catch(refuse);
  while (length !== null) {
    yield buffer.subarray(0, length);
    length = await file.read(buffer).catch((cause) => {
      throw new Error(describe(cause), { cause });
    });
  }
}

/** The addresses of a host name or an IP address. */
async function addressesOf(host: string): Promise<IpAddress[]> {
  const literal = parseAddress(host);
  if (literal !== undefined) return [literal];
  try {
    const found = await lookUp(host);
    return found.map(parseAddress).filter((address) => address !== undefined);
  } catch (error) {
    throw new Error(`--host ${host}: ${explain(error)}`, { cause: error });
  }
}
