/**
 * The client: plugs into a service, and joins it to stdin and stdout, or probes it, puts it under load, or has
 * a conversation with it that is written down.
 *
 * @module
 */
import { HexCapture } from "./client/hex_capture.ts";
import { connectWithRetry, endpointOf } from "./client/connect.ts";
import { Timeline } from "./client/timeline.ts";
import type { ClientConfig, ClientOptions } from "./config/client_config.ts";
import type { DialledEndpoint, DialStep } from "./transport/dial.ts";
import type { Ladder } from "./trace/report/ladder.ts";
import { formatDuration } from "./options/quantity.ts";
import { type Address, formatAddress } from "./endpoint/address.ts";
import { Connection } from "./connection/connection.ts";
import { type ByteStream, wrap } from "./transport/stream.ts";
import { ReaderGone } from "./terminal/stdio.ts";
import { bridgeStdio, type EofPolicy, type StdioEndpoints } from "./connection/stdio_bridge.ts";
import { Sweeper } from "./connection/deadlines.ts";
import { explain, faultOf, isReset } from "./transport/errors.ts";

/** When we leave first, how long the peer has to end too, in milliseconds. */
const CLOSE_TIMEOUT = 500;

/** What the client is joined to. */
export interface ClientEnds extends StdioEndpoints {
  /** How many bytes the input has, where that is known. */
  readonly inputSize?: number | undefined;
  /** Takes a line about what happens. */
  tell(line: string): void;
  /** Takes what was found by a probe or a load, or a hex dump. */
  print(text: string): Promise<void>;
  /** Takes how a conversation went, as a line of JSON: not where the bytes go. */
  report(line: string): void;
  /** Takes a line that is written over the one before; absent where nobody looks. */
  readonly status?: ((line: string) => void) | undefined;
  /** Takes the ladder of a handshake, where that is asked for. */
  draw?(ladder: Ladder): void;
  /** Ends a probe or a load early when aborted; what was found until then is still told. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does what the config asks for, to its end.
 *
 * @throws {Error} which says what was tried, what happened, and what that means
 */
export async function runClient(config: ClientConfig, ends: ClientEnds): Promise<void> {
  const { options } = config;
  if (options.probe) {
    const { probe } = await import("./client/probe.ts");
    return await probe(config, ends);
  }
  if (options.bench) {
    const { bench } = await import("./client/load.ts");
    return await bench(config, ends);
  }
  const [target] = config.targets;
  const tell = options.verbose ? ends.tell : () => {};
  const timeline = new Timeline(formatAddress(target), tell);
  try {
    await runSession(target, { options, ends, timeline });
  } catch (error) {
    if (!(error instanceof ReaderGone)) timeline.failed(explain(error));
    throw error;
  } finally {
    if (options.json) ends.report(timeline.json());
  }
}

/** What a conversation is had with, on our side. */
interface Side {
  readonly options: ClientOptions;
  readonly ends: ClientEnds;
  readonly timeline: Timeline;
}

/** Connects, and has the conversation that is asked for. */
async function runSession(target: Address, { options, ends, timeline }: Side): Promise<void> {
  const conversation = await runnerOf(options, ends);
  const endpoint = await endpointOf(target, options);
  using capture = await HexCapture.open(options, { print: ends.print });
  const socket = await connect(endpoint, { options, ends, timeline });
  await capture.begin();
  using connection = new Connection(firstByteTap(capture.of(socket), timeline), { id: 1 });
  using _deadlines = new Sweeper({ idle: options["idle-timeout"] }).watch(connection);
  using _progress = await progressOf(connection, { options, ends });
  try {
    await conversation(connection);
  } catch (error) {
    throw meaningOf(error, { connection, target, options });
  } finally {
    timeline.ended(connection);
  }
}

/** Goes the way to the target, and draws the handshakes on it where that is asked for. */
async function connect(
  endpoint: DialledEndpoint,
  { options, ends, timeline }: Side,
): Promise<ByteStream> {
  if (!options.trace) {
    const onStep = timeline.step.bind(timeline);
    return (await connectWithRetry(endpoint, { options, tell: ends.tell, onStep })).socket;
  }
  const { AttemptTrace } = await import("./client/attempt_trace.ts");
  await using trace = await AttemptTrace.start(
    endpoint.proxy?.address ?? endpoint.address,
    ends.tell,
  );
  let socket: ByteStream | undefined;
  function onStep(step: DialStep): void {
    timeline.step(step);
    trace.step(step);
  }
  try {
    ({ socket } = await connectWithRetry(endpoint, { options, tell: ends.tell, onStep }));
    return socket;
  } finally {
    const ladders = await trace.ladders(socket, { isRelative: options.relative });
    for (const ladder of ladders) ends.draw?.(ladder);
  }
}

/** A conversation by a script, or with the input. */
async function runnerOf(
  options: ClientOptions,
  ends: ClientEnds,
): Promise<(connection: Connection) => Promise<void>> {
  if (options.script === undefined) {
    return (connection) => bridgeStdio(connection, ends, eofPolicyOf(options));
  }
  const [{ readScript }, { runScript }] = await Promise.all([
    import("./script/script.ts"),
    import("./script/runner.ts"),
  ]);
  const name = options.script === "-" ? "stdin" : options.script;
  const steps = await readScript(options.script);
  const tell = options.verbose ? ends.tell : () => {};
  return (connection) => runScript(connection, { steps, name, tell });
}

function eofPolicyOf(options: ClientOptions): EofPolicy {
  const { "send-only": sendOnly, "recv-only": receiveOnly, "quit-delay": delay, eof, crlf } =
    options;
  const leaveFirst = sendOnly || eof === "close";
  return {
    only: sendOnly ? "send" : receiveOnly ? "receive" : undefined,
    crlf,
    halfClose: leaveFirst || eof === "half-close",
    closeTimeout: delay ?? (leaveFirst ? CLOSE_TIMEOUT : undefined),
  };
}

async function progressOf(
  connection: Connection,
  { options, ends: { status, inputSize } }: Pick<Side, "options" | "ends">,
): Promise<Disposable | undefined> {
  if (!options.progress || !status) return undefined;
  const { showProgress } = await import("./terminal/progress.ts");
  return showProgress(connection, { status, size: inputSize });
}

/** The socket, with its first byte told to the timeline. Later reads go straight to it. */
function firstByteTap(socket: ByteStream, timeline: Timeline): ByteStream {
  const start = performance.now();
  const read: ByteStream["read"] = (into) => socket.read(into);
  const tap = wrap(socket, {
    async read(into) {
      const length = await socket.read(into);
      if (length !== null) timeline.firstByte(performance.now() - start);
      tap.read = read;
      return length;
    },
  });
  return tap;
}

/** Why the conversation broke off, in words; hangs up. */
function meaningOf(
  error: unknown,
  { connection, target, options }: {
    connection: Connection;
    target: Address;
    options: ClientOptions;
  },
): unknown {
  if (connection.reason === "idle") {
    const silence = formatDuration(options["idle-timeout"] ?? 0);
    return new Error(`${formatAddress(target)}: nothing came or went for ${silence}`);
  }
  connection.close(faultOf(error));
  if (isReset(error)) return new Error(`${formatAddress(target)} cut the connection off (reset)`);
  return error;
}
