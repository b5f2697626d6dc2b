/**
 * The client: connects, then runs one of its jobs: stdin and stdout, a script, a probe or a load test.
 *
 * @module
 */
import { HexCapture } from "./client/hex_capture.ts";
import type { ClientIo } from "./client/client_io.ts";
import { connectWithRetry, endpointOf } from "./client/connect.ts";
import { Timeline } from "./client/timeline.ts";
import type { ClientConfig, ClientOptions } from "./config/client_config.ts";
import type { DialledEndpoint, DialStep } from "./transport/dial.ts";
import { formatDuration } from "./options/quantity.ts";
import { type Address, formatAddress } from "./endpoint/address.ts";
import { Connection } from "./connection/connection.ts";
import { type ByteStream, wrap } from "./transport/stream.ts";
import { ReaderGone } from "./terminal/stdio.ts";
import { bridgeStdio, type EofPolicy } from "./connection/stdio_bridge.ts";
import { Sweeper } from "./connection/deadlines.ts";
import { explain, faultOf, isReset } from "./transport/errors.ts";

/** How long the peer may take to close after we have, in milliseconds. */
const CLOSE_TIMEOUT = 500;

/**
 * Runs the client until it is done.
 *
 * @throws {Error} whose message says what was tried, what failed, and what that means
 */
export async function runClient(config: ClientConfig, io: ClientIo): Promise<void> {
  const { options } = config;
  if (options.udp) {
    const { runDatagramClient } = await import("./client/datagram_client.ts");
    return await runDatagramClient(config, io);
  }
  if (options.probe) {
    const { probe } = await import("./client/probe.ts");
    return await probe(config, io);
  }
  if (options.bench) {
    const { bench } = await import("./client/load.ts");
    return await bench(config, io);
  }
  const [target] = config.targets;
  const log = options.verbose ? io.log : () => {};
  const timeline = new Timeline(formatAddress(target), log);
  try {
    await runSession(target, { options, io, timeline });
  } catch (error) {
    if (!(error instanceof ReaderGone)) timeline.failed(explain(error));
    throw error;
  } finally {
    if (options.json) io.report(timeline.json());
  }
}

/** The parts of a session. */
interface Session {
  readonly options: ClientOptions;
  readonly io: ClientIo;
  readonly timeline: Timeline;
}

/** Connects and runs the session. */
async function runSession(target: Address, { options, io, timeline }: Session): Promise<void> {
  const run = await sessionRunner(options, io);
  const endpoint = await endpointOf(target, options);
  using capture = await HexCapture.open(options, { print: io.print });
  const socket = await connect(endpoint, { options, io, timeline });
  await capture.begin();
  using connection = new Connection(firstByteTap(capture.of(socket), timeline), { id: 1 });
  using _deadlines = new Sweeper({ idle: options["idle-timeout"] }).watch(connection);
  using _progress = await startProgress(connection, { options, io });
  try {
    await run(connection);
  } catch (error) {
    throw closeWithCause(error, { connection, target, options });
  } finally {
    timeline.ended(connection);
  }
}

/** Connects, with the ladders of its handshakes where `--trace` asks for them. */
async function connect(
  endpoint: DialledEndpoint,
  { options, io, timeline }: Session,
): Promise<ByteStream> {
  if (!options.trace) {
    const onStep = timeline.step.bind(timeline);
    return (await connectWithRetry(endpoint, { options, log: io.log, onStep })).socket;
  }
  const { AttemptTrace } = await import("./client/attempt_trace.ts");
  await using trace = await AttemptTrace.start(
    endpoint.proxy?.address ?? endpoint.address,
    io.log,
  );
  let socket: ByteStream | undefined;
  function onStep(step: DialStep): void {
    timeline.step(step);
    trace.step(step);
  }
  try {
    ({ socket } = await connectWithRetry(endpoint, { options, log: io.log, onStep }));
    return socket;
  } finally {
    const ladders = await trace.ladders(socket, { isRelative: options.relative });
    for (const ladder of ladders) io.draw?.(ladder);
  }
}

/** What the session does: a script, or stdin and stdout. */
async function sessionRunner(
  options: ClientOptions,
  io: ClientIo,
): Promise<(connection: Connection) => Promise<void>> {
  if (options.script === undefined) {
    return (connection) => bridgeStdio(connection, io, eofPolicyOf(options));
  }
  const [{ readScript }, { runScript }] = await Promise.all([
    import("./script/script.ts"),
    import("./script/runner.ts"),
  ]);
  const name = options.script === "-" ? "stdin" : options.script;
  const steps = await readScript(options.script);
  const log = options.verbose ? io.log : () => {};
  return (connection) => runScript(connection, { steps, name, log });
}

function eofPolicyOf(options: ClientOptions): EofPolicy {
  const { "send-only": sendOnly, "recv-only": receiveOnly, "quit-delay": delay, eof, crlf } =
    options;
  const closesFirst = sendOnly || eof === "close";
  return {
    only: sendOnly ? "send" : receiveOnly ? "receive" : undefined,
    crlf,
    halfClose: closesFirst || eof === "half-close",
    closeTimeout: delay ?? (closesFirst ? CLOSE_TIMEOUT : undefined),
  };
}

async function startProgress(
  connection: Connection,
  { options, io: { status, inputSize } }: Pick<Session, "options" | "io">,
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
