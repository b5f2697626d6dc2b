/**
 * The client over UDP: sends stdin as datagrams, and writes what comes back to stdout.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { ClientConfig, ClientOptions } from "../config/client_config.ts";
import { localEndOf } from "../config/client_rules.ts";
import { withCrlf } from "../connection/crlf.ts";
import { Sweeper } from "../connection/deadlines.ts";
import { Session } from "../connection/session.ts";
import { formatAddress, type UdpAddress } from "../endpoint/address.ts";
import { formatDuration } from "../options/quantity.ts";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import { ReaderGone } from "../terminal/stdio.ts";
import { LONGEST_DATAGRAM } from "../transport/datagram_carrier.ts";
import {
  type DatagramConnection,
  dialDatagrams,
  isUnreachable,
} from "../transport/dial_datagrams.ts";
import { explain } from "../transport/errors.ts";
import type { ClientIo } from "./client_io.ts";
import { framed } from "./framing.ts";
import { HexCapture } from "./hex_capture.ts";
import { Timeline } from "./timeline.ts";

/** How often is looked whether the peer's port is unreachable, in milliseconds. */
const LOOK = 50;

const tasks = new TaskScope("looking for ICMP messages", {
  consequence: "the next send finds them",
});

/**
 * Runs the client over UDP until it is done.
 *
 * @throws {Error} whose message says what was tried, what failed, and what that means
 */
export async function runDatagramClient(config: ClientConfig, io: ClientIo): Promise<void> {
  const { options, targets: [target] } = config;
  if (options.probe) {
    const { probeDatagrams } = await import("./datagram_probe.ts");
    return await probeDatagrams(config, io);
  }
  if (options.bench) {
    const { benchDatagrams } = await import("./datagram_load.ts");
    return await benchDatagrams(config, io);
  }
  const timeline = new Timeline(formatAddress(target), options.verbose ? io.log : () => {});
  try {
    await exchange(target as UdpAddress, { options, io, timeline });
  } catch (error) {
    if (!(error instanceof ReaderGone)) timeline.failed(explain(error));
    throw error;
  } finally {
    if (options.json) io.report(timeline.json());
  }
}

/** Sends and receives until the input has ended and no answers come any more. */
async function exchange(
  target: UdpAddress,
  { options, io, timeline }: { options: ClientOptions; io: ClientIo; timeline: Timeline },
): Promise<void> {
  using capture = await HexCapture.open(options, { print: io.print });
  const socket = await dialDatagrams(target, { from: localEndOf(options) });
  await capture.begin();
  using session = sessionOver(socket, capture.recorder);
  session.serve({ receive: options["send-only"] ? () => {} : io.show });
  using _deadlines = new Sweeper({ idle: options["idle-timeout"] }).watch(session);
  using _progress = await startProgress(session, { options, io });
  using unreachable = watchUnreachable(socket);
  const start = performance.now();
  const receiving = receiveAll(session, {
    socket,
    first: () => timeline.firstByte(performance.now() - start),
  });
  handledElsewhere(receiving);
  try {
    await Promise.race([
      sendAll(session, { options, io }).then(() => answersEnd(session, options)),
      receiving,
      unreachable.seen,
    ]);
  } catch (error) {
    throw causeOf(error, { session, target, options });
  } finally {
    session.endAs("closed by us");
    timeline.ended(session);
  }
}

function sessionOver(
  socket: DatagramConnection,
  record: HexCapture["recorder"],
): Session {
  return new Session({
    send: (datagram) => socket.send(datagram),
    closed: () => socket.close(),
    dropped: () => {},
    maxDatagram: LONGEST_DATAGRAM,
    limitsAnswers: false,
    record,
  }, { id: 1, peer: socket.peer, local: { hostname: "0.0.0.0", port: socket.localPort } });
}

async function sendAll(
  session: Session,
  { options: { crlf, datagram }, io: { input } }: {
    options: ClientOptions;
    io: Pick<ClientIo, "input">;
  },
): Promise<void> {
  for await (const bytes of framed(crlf ? withCrlf(input) : input, datagram)) {
    await session.write(bytes);
  }
}

async function receiveAll(
  session: Session,
  { socket, first }: { socket: DatagramConnection; first(): void },
): Promise<void> {
  const buffer = new Uint8Array(LONGEST_DATAGRAM + 1);
  while (!session.isClosed) {
    const datagram = await socket.receive(buffer);
    if (session.datagramsIn === 0) first();
    await session.deliver(datagram);
  }
}

/** Resolves when the input has ended and answers may not be waited for any longer. */
async function answersEnd(
  session: Session,
  { "send-only": sendOnly, "quit-delay": quitDelay, "connect-timeout": wait }: ClientOptions,
): Promise<void> {
  const { closed } = session;
  const pause = (time: number) => delay(time, { signal: closed }).catch(() => {});
  if (quitDelay !== undefined || sendOnly) return await pause(quitDelay ?? 0);
  // Without a limit, only the idle timeout or the user ends it.
  if (wait === 0) return await new Promise(() => {});
  for (let before = -1; before !== session.datagramsIn && !session.isClosed;) {
    before = session.datagramsIn;
    await pause(wait);
  }
}

/** Looks for an ICMP port unreachable until it is disposed. */
function watchUnreachable(
  socket: DatagramConnection,
): Disposable & { readonly seen: Promise<never> } {
  const { promise, reject } = Promise.withResolvers<never>();
  handledElsewhere(promise);
  const look = () => {
    if (socket.takeUnreachable()) reject(new Unreachable());
  };
  const timer = setInterval(tasks.guard(look), LOOK);
  return { seen: promise, [Symbol.dispose]: () => clearInterval(timer) };
}

/** An ICMP port unreachable has come. */
class Unreachable extends Error {}

async function startProgress(
  session: Session,
  { options, io: { status, inputSize } }: {
    options: ClientOptions;
    io: Pick<ClientIo, "status" | "inputSize">;
  },
): Promise<Disposable | undefined> {
  if (!options.progress || !status) return undefined;
  const { showProgress } = await import("../terminal/progress.ts");
  return showProgress(session, { status, size: inputSize });
}

function causeOf(
  error: unknown,
  { session, target, options }: { session: Session; target: UdpAddress; options: ClientOptions },
): unknown {
  const name = formatAddress(target);
  if (session.reason === "idle") {
    const silence = formatDuration(options["idle-timeout"] ?? 0);
    return new Error(`${name}: nothing sent or received for ${silence}`);
  }
  if (!(error instanceof Unreachable) && !isUnreachable(error)) return error;
  return new Error(`${name}: ICMP port unreachable: nothing receives there`);
}
