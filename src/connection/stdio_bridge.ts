/**
 * A conversation between standard input and output and a peer: bytes both ways until it is over.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { Connection } from "./connection.ts";
import { withCrlf } from "./crlf.ts";

/** Once the peer has ended, how long the input may pause before we leave, in milliseconds. */
const INPUT_PAUSE = 250;

/** Why a connection was hung up when the peer took too long to end. */
const CLOSED_BY_US = "closed by us";

/** Both ends of it on our side. */
export interface StdioEndpoints {
  /** What is sent: chunks, each valid until the next is asked for. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Takes what arrived, all of it, before more is read. */
  show(bytes: Uint8Array): Promise<void>;
}

/** How a conversation is had. */
export interface EofPolicy {
  /** What is not done at all, if anything. */
  readonly only?: "send" | "receive" | undefined;
  /** Whether a lone LF of the input is sent as CRLF. */
  readonly crlf?: boolean;
  /** Whether the end of the input ends our half. */
  readonly halfClose: boolean;
  /** How long the peer may go on after the end of the input, in milliseconds; as it likes, where it is not said. */
  readonly closeTimeout?: number | undefined;
}

/**
 * Carries bytes both ways until the conversation is over: when both sides have ended, or when the peer
 * has and nothing more is there to be sent to it, or when patience with the peer is over.
 */
export async function bridgeStdio(
  connection: Connection,
  ends: StdioEndpoints,
  { only, crlf = false, halfClose, closeTimeout: patience }: EofPolicy,
): Promise<void> {
  const receiving = receive(connection, only === "send" ? undefined : ends.show);
  if (only === "receive") return await receiving;
  const flow = { sending: false };
  const sending = send(connection, {
    input: crlf ? withCrlf(ends.input) : ends.input,
    halfClose,
    flow,
  }).catch(async (error) => {
    // What the peer said before it cut us off is still worth showing.
    await receiving.catch(() => {});
    throw error;
  });
  const over = new AbortController();
  const nothingMore = receiving.then(
    () => inputPauses(connection, { flow, signal: over.signal }),
    (error) => {
      if (connection.reason !== CLOSED_BY_US) throw error;
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
    await delay(INPUT_PAUSE, { signal }).catch(() => {});
    if (signal.aborted) return;
  }
}

/** Waits so long for the peer to end too: closing on unread bytes could cut off our last ones. */
async function within(
  patience: number,
  receiving: Promise<void>,
  connection: Connection,
): Promise<void> {
  const timer = setTimeout(() => connection.close(CLOSED_BY_US), patience);
  try {
    await receiving;
  } catch (error) {
    if (connection.reason !== CLOSED_BY_US) throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function receive(
  connection: Connection,
  show: StdioEndpoints["show"] | undefined,
): Promise<void> {
  for await (const chunk of connection.chunks()) await show?.(chunk);
}
