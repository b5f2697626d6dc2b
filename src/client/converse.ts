/**
 * A conversation between stdin and a service: bytes both ways until it is over.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { ClientOptions } from "../config/client_config.ts";
import type { Connection } from "../socket/connection.ts";
import { withCrlf } from "../socket/crlf.ts";

/** Once the peer has ended, how long stdin may pause before the client leaves, in milliseconds. */
const PAUSE = 250;

/** When we leave first, how long the peer has to end too, in milliseconds. */
const FAREWELL = 500;

/** Why a connection was hung up when the peer took too long to end. */
const LEFT = "closed by us";

/** Both ends of it on our side. */
export interface Ends {
  /** What is sent: chunks, each valid until the next is asked for. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Takes what arrived, all of it, before more is read. */
  show(bytes: Uint8Array): Promise<void>;
}

/**
 * Carries bytes both ways until the conversation is over: when both sides have ended, or when the peer
 * has and nothing more is there to be sent to it, or when options say that we leave first.
 */
export async function converse(
  connection: Connection,
  { options, ends }: { options: ClientOptions; ends: Ends },
): Promise<void> {
  const receiving = receive(connection, options["send-only"] ? undefined : ends.show);
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
  const patience = options["quit-delay"] ?? (leaveFirst ? FAREWELL : undefined);
  const over = new AbortController();
  const nothingMore = receiving.then(
    () => inputPauses(connection, { flow, signal: over.signal }),
    (error) => {
      if (connection.reason !== LEFT) throw error;
    },
  );
  const bothEnded = sending.then(() =>
    patience === undefined ? receiving : within(patience, receiving, connection)
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

/** Waits so long for the peer to end too: closing on unread bytes could cut off our last ones. */
async function within(
  patience: number,
  receiving: Promise<void>,
  connection: Connection,
): Promise<void> {
  const timer = setTimeout(() => connection.hangUp(LEFT), patience);
  try {
    await receiving;
  } catch (error) {
    if (connection.reason !== LEFT) throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function receive(connection: Connection, show: Ends["show"] | undefined): Promise<void> {
  for await (const chunk of connection.chunks()) await show?.(chunk);
}
