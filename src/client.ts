/**
 * The client: plugs into a service, and joins it to stdin and stdout.
 *
 * @module
 */
import type { ClientConfig } from "./config/client_config.ts";
import { delay } from "@std/async/delay";
import { formatDuration, formatSize } from "./options/quantity.ts";
import { addressOf, formatAddress } from "./socket/address.ts";
import { Connection } from "./socket/connection.ts";
import { withCrlf } from "./socket/crlf.ts";
import { Sweeper } from "./socket/deadlines.ts";
import { dial, type DialStep } from "./socket/dial.ts";
import { explain, isReset } from "./socket/faults.ts";

/** Once the peer has ended, how long stdin may pause before the client leaves, in milliseconds. */
const PAUSE = 250;

/** When we leave first, how long the peer has to end too, in milliseconds. */
const FAREWELL = 500;

/** What the client is joined to. */
export interface ClientEnds {
  /** What is sent: chunks, each valid until the next is asked for. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Takes what arrived, all of it, before more is read. */
  show(bytes: Uint8Array): Promise<void>;
  /** Takes a line about what happens. */
  tell(line: string): void;
}

/**
 * Connects, then carries bytes both ways until the conversation is over.
 *
 * @throws {Error} which says what was tried, what happened, and what that means
 */
export async function plugIn({ target, options }: ClientConfig, ends: ClientEnds): Promise<void> {
  const tell = options.verbose || options.probe ? ends.tell : () => {};
  const start = performance.now();
  const socket = await dial(target, {
    timeout: options["connect-timeout"],
    onStep: (step) => options.verbose && tell(describe(step)),
  });
  if (options.probe) {
    const took = formatDuration(performance.now() - start);
    tell(`${formatAddress(addressOf(socket.remoteAddr))} is open (connected in ${took})`);
    return socket.close();
  }
  using connection = new Connection(socket, { id: 1 });
  using _deadlines = new Sweeper({ idle: options["idle-timeout"] }).watch(connection);
  try {
    await converse(connection, { options, ends: { ...ends, tell } });
  } catch (error) {
    if (connection.reason === "idle") {
      const silence = formatDuration(options["idle-timeout"] ?? 0);
      throw new Error(`${formatAddress(target)}: nothing came or went for ${silence}`);
    }
    connection.hangUp(isReset(error) ? "reset" : explain(error));
    if (isReset(error)) throw new Error(`${formatAddress(target)} cut the connection off (reset)`);
    throw error;
  } finally {
    tell(summary(connection));
  }
}

/**
 * Carries bytes both ways until the conversation is over: when both sides have ended, or when the peer
 * has and nothing more is there to be sent to it, or when options say that we leave first.
 */
async function converse(
  connection: Connection,
  { options, ends }: { options: ClientConfig["options"]; ends: ClientEnds },
): Promise<void> {
  const receiving = receive(connection, {
    tell: ends.tell,
    show: options["send-only"] ? () => Promise.resolve() : ends.show,
  });
  if (options["recv-only"]) return await receiving;
  const leaveFirst = options["send-only"] || options.eof === "close";
  const flow = { sending: false };
  const sending = send(connection, {
    input: options.crlf ? withCrlf(ends.input) : ends.input,
    halfClose: leaveFirst || options.eof === "half-close",
    flow,
  }).catch(async (error) => {
    // What the peer said before it cut us off is still worth showing.
    await receiving.catch(() => {});
    throw error;
  });
  const over = new AbortController();
  const nothingMore = receiving.then(() => inputPauses(connection, { flow, signal: over.signal }));
  const bothEnded = sending.then(() =>
    leaveFirst ? withinFarewell(receiving, connection) : receiving
  );
  try {
    await Promise.race([bothEnded, nothingMore]);
  } finally {
    over.abort();
  }
}

/** Whether there is something that the peer has not taken yet. */
interface Flow {
  sending: boolean;
}

async function send(
  connection: Connection,
  { input, halfClose, flow }: {
    input: AsyncIterable<Uint8Array>;
    halfClose: boolean;
    flow: Flow;
  },
): Promise<void> {
  for await (const chunk of input) {
    flow.sending = true;
    await connection.write(chunk);
    flow.sending = false;
  }
  if (halfClose) await connection.closeWrite();
}

/** Resolves when nothing is being sent and nothing more came to be sent for a moment. */
async function inputPauses(
  connection: Connection,
  { flow, signal }: { flow: Flow; signal: AbortSignal },
): Promise<void> {
  for (let before = -1; flow.sending || before !== connection.bytesOut;) {
    before = connection.bytesOut;
    await delay(PAUSE, { signal }).catch(() => {});
    if (signal.aborted) return;
  }
}

/** Waits for the peer to end too, for a moment: closing on unread bytes could cut off our last ones. */
async function withinFarewell(receiving: Promise<void>, connection: Connection): Promise<void> {
  const patience = setTimeout(() => connection.hangUp("closed by us"), FAREWELL);
  try {
    await receiving;
  } catch (error) {
    if (connection.reason === undefined) throw error;
  } finally {
    clearTimeout(patience);
  }
}

async function receive(
  connection: Connection,
  { show, tell }: Pick<ClientEnds, "show" | "tell">,
): Promise<void> {
  for await (const chunk of connection.chunks()) {
    if (connection.bytesIn === chunk.length) {
      tell(`first byte after ${formatDuration(performance.now() - connection.openedAt)}`);
    }
    await show(chunk);
  }
}

function describe(step: DialStep): string {
  switch (step.step) {
    case "resolved":
      return `resolved to ${step.hosts.join(", ")} in ${formatDuration(step.took)}`;
    case "trying":
      return `${formatAddress(step.address)}: trying`;
    case "failed":
      return `${formatAddress(step.address)}: ${step.reason} after ${formatDuration(step.took)}`;
    case "connected":
      return `${formatAddress(step.address)}: connected in ${formatDuration(step.took)}`;
  }
}

function summary(connection: Connection): string {
  const { bytesOut, bytesIn, openedAt } = connection;
  const end = connection.peerEnded ? "closed by the peer" : connection.reason ?? "closed by us";
  return `${formatSize(bytesOut)} sent, ${formatSize(bytesIn)} received; ${end} after ` +
    formatDuration(performance.now() - openedAt);
}
