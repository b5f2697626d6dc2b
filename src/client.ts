/**
 * The client: plugs into a service, and joins it to stdin and stdout, or probes it, puts it under load, or has
 * a conversation with it that is written down.
 *
 * @module
 */
import { Capture } from "./client/capture.ts";
import { routeTo, walk } from "./client/route.ts";
import { Timeline } from "./client/timeline.ts";
import type { ClientConfig, ClientOptions } from "./config/client_config.ts";
import type { ReachStep, Route } from "./dial/reach.ts";
import type { Ladder } from "./handshake/ladder.ts";
import { formatDuration } from "./options/quantity.ts";
import { type Address, formatAddress } from "./socket/address.ts";
import { Connection, type Socket } from "./socket/connection.ts";
import { converse, type Ends, type Manner } from "./socket/converse.ts";
import { Sweeper } from "./socket/deadlines.ts";
import { explain, isReset } from "./socket/faults.ts";

/** When we leave first, how long the peer has to end too, in milliseconds. */
const FAREWELL = 500;

/** What the client is joined to. */
export interface ClientEnds extends Ends {
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
export async function plugIn(config: ClientConfig, ends: ClientEnds): Promise<void> {
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
    await talk(target, { options, ends, timeline });
  } catch (error) {
    timeline.failed(explain(error));
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
async function talk(target: Address, { options, ends, timeline }: Side): Promise<void> {
  const conversation = await conversationOf(options, ends);
  const route = await routeTo(target, options);
  using capture = await Capture.open(options, { print: ends.print });
  const socket = await dialled(route, { options, ends, timeline });
  using connection = new Connection(noticing(capture.of(socket), timeline), { id: 1 });
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
async function dialled(route: Route, { options, ends, timeline }: Side): Promise<Socket> {
  if (!options.trace) {
    const onStep = timeline.step.bind(timeline);
    return (await walk(route, { options, tell: ends.tell, onStep })).socket;
  }
  const { AttemptTrace } = await import("./client/attempt_trace.ts");
  await using trace = await AttemptTrace.start(route.proxy?.address ?? route.target, ends.tell);
  let socket: Socket | undefined;
  function onStep(step: ReachStep): void {
    timeline.step(step);
    trace.step(step);
  }
  try {
    ({ socket } = await walk(route, { options, tell: ends.tell, onStep }));
    return socket;
  } finally {
    for (const ladder of await trace.ladders(socket)) ends.draw?.(ladder);
  }
}

/** A conversation by a script, or with the input. */
async function conversationOf(
  options: ClientOptions,
  ends: ClientEnds,
): Promise<(connection: Connection) => Promise<void>> {
  if (options.script === undefined) {
    return (connection) => converse(connection, ends, mannerOf(options));
  }
  const [{ readScript }, { runScript }] = await Promise.all([
    import("./client/script.ts"),
    import("./client/scripted.ts"),
  ]);
  const name = options.script;
  const steps = await readScript(name);
  const tell = options.verbose ? ends.tell : () => {};
  return (connection) => runScript(connection, { steps, name, tell });
}

function mannerOf(options: ClientOptions): Manner {
  const { "send-only": sendOnly, "recv-only": receiveOnly, "quit-delay": delay, eof, crlf } =
    options;
  const leaveFirst = sendOnly || eof === "close";
  return {
    only: sendOnly ? "send" : receiveOnly ? "receive" : undefined,
    crlf,
    halfClose: leaveFirst || eof === "half-close",
    patience: delay ?? (leaveFirst ? FAREWELL : undefined),
  };
}

async function progressOf(
  connection: Connection,
  { options, ends: { status, inputSize } }: Pick<Side, "options" | "ends">,
): Promise<Disposable | undefined> {
  if (!options.progress || !status) return undefined;
  const { showProgress } = await import("./observe/progress.ts");
  return showProgress(connection, { status, size: inputSize });
}

/** The socket, with its first byte told to the timeline. Later reads go straight to it. */
function noticing(socket: Socket, timeline: Timeline): Socket {
  const start = performance.now();
  const noticing: Socket = {
    localAddr: socket.localAddr,
    remoteAddr: socket.remoteAddr,
    async read(into) {
      const length = await socket.read(into);
      if (length !== null) timeline.firstByte(performance.now() - start);
      noticing.read = read;
      return length;
    },
    write: (bytes) => socket.write(bytes),
    closeWrite: () => socket.closeWrite(),
    close: () => socket.close(),
  };
  const read: Socket["read"] = (into) => socket.read(into);
  return noticing;
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
  connection.hangUp(isReset(error) ? "reset" : explain(error));
  if (isReset(error)) return new Error(`${formatAddress(target)} cut the connection off (reset)`);
  return error;
}
