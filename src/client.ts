/**
 * The client: connects, then runs one of its jobs: stdin and stdout, a script, a probe or a load test.
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

/** How long the peer may take to close after we have, in milliseconds. */
const CLOSE_TIMEOUT = 500;

/** The client's input and output. */
export interface ClientIo extends StdioEndpoints {
  /** The input's length in bytes, where known. */
  readonly inputSize?: number | undefined;
  /** Writes a line about progress or a problem. */
  tell(line: string): void;
  /** Writes the result of a probe or a load test, or a hex dump. */
  print(text: string): Promise<void>;
  /** Writes the timeline of the connection as a line of JSON, apart from the received bytes. */
  report(line: string): void;
  /** Writes a line over the one before; absent without a terminal. */
  readonly status?: ((line: string) => void) | undefined;
  /** Shows the ladder of a handshake, for `--trace`. */
  draw?(ladder: Ladder): void;
  /** Aborted to end a probe or a load test early; its results so far are still printed. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the client until it is done.
 *
 * @throws {Error} whose message says what was tried, what failed, and what that means
 */
export async function runClient(config: ClientConfig, ends: ClientIo): Promise<void> {
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

/** The parts of a session. */
interface Session {
  readonly options: ClientOptions;
  readonly ends: ClientIo;
  readonly timeline: Timeline;
}

/** Connects and runs the session. */
async function runSession(target: Address, { options, ends, timeline }: Session): Promise<void> {
  const conversation = await sessionRunner(options, ends);
  const endpoint = await endpointOf(target, options);
  using capture = await HexCapture.open(options, { print: ends.print });
  const socket = await connect(endpoint, { options, ends, timeline });
  await capture.begin();
  using connection = new Connection(firstByteTap(capture.of(socket), timeline), { id: 1 });
  using _deadlines = new Sweeper({ idle: options["idle-timeout"] }).watch(connection);
  using _progress = await startProgress(connection, { options, ends });
  try {
    await conversation(connection);
  } catch (error) {
    throw closeWithCause(error, { connection, target, options });
  } finally {
    timeline.ended(connection);
  }
}

/** Connects, with the ladders of its handshakes where `--trace` asks for them. */
async function connect(
  endpoint: DialledEndpoint,
  { options, ends, timeline }: Session,
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

/** What the session does: a script, or stdin and stdout. */
async function sessionRunner(
  options: ClientOptions,
  ends: ClientIo,
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

async function startProgress(
  connection: Connection,
  { options, ends: { status, inputSize } }: Pick<Session, "options" | "ends">,
): Promise<Disposable | undefined> {
  if (!options.progress || !status) return undefined;
  const { showProgress } = await import("./terminal/progress.ts");
  return showProgress(connection, { status, size: inputSize });
}

/** Records when the first byte is received; later reads skip the tap. */
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

/** Closes the connection and explains the error. */
function closeWithCause(
  error: unknown,
  { connection, target, options }: {
    connection: Connection;
    target: Address;
    options: ClientOptions;
  },
): unknown {
  if (connection.reason === "idle") {
    const silence = formatDuration(options["idle-timeout"] ?? 0);
    return new Error(`${formatAddress(target)}: nothing sent or received for ${silence}`);
  }
  connection.close(faultOf(error));
  if (isReset(error)) return new Error(`connection reset by ${formatAddress(target)}`);
  return error;
}
