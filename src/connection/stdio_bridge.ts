/**
 * A conversation between standard input and output and a peer: bytes both ways until it is over.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import type { Connection } from "./connection.ts";
import { withCrlf } from "./crlf.ts";

/** Once the peer has ended, how long the input may pause before we leave, in milliseconds. */
const INPUT_PAUSE = 250;

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
 * has and nothing more is there to be sent to it, or when the peer has had its time to end.
 */
export async function bridgeStdio(
  connection: Connection,
  { input, show }: StdioEndpoints,
  { only, crlf = false, halfClose, closeTimeout }: EofPolicy,
): Promise<void> {
  const receiving = connection.forEachChunk(only === "send" ? discard : show);
  if (only === "receive") return await receiving;
  const sender = new Sender(connection);
  const sending = sender.send(crlf ? withCrlf(input) : input, { halfClose });
  // Whichever is not waited for below has nobody left to tell.
  handledElsewhere(receiving);
  handledElsewhere(sending);
  const first = await Promise.race([
    sending.then(() => "sent" as const, () => "not sent" as const),
    receiving.then(() => "received" as const, () => "not received" as const),
  ]);
  if (first === "received") {
    const over = new AbortController();
    return await Promise.race([sending, sender.pause(over.signal)]).finally(() => over.abort());
  }
  if (first === "not received") return await receiving;
  // What the peer said before it cut us off is still worth showing.
  if (first === "not sent") return await receiving.catch(() => {}).then(() => sending);
  await ended(receiving, { connection, within: closeTimeout });
}

/** Sends what comes in, and knows whether something is on its way. */
class Sender {
  readonly #connection: Connection;
  #isSending = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async send(
    input: AsyncIterable<Uint8Array>,
    { halfClose }: Pick<EofPolicy, "halfClose">,
  ): Promise<void> {
    for await (const chunk of input) {
      this.#isSending = true;
      await this.#connection.write(chunk);
      this.#isSending = false;
    }
    if (halfClose) await this.#connection.closeWrite();
  }

  /** Resolves when nothing is being sent, and nothing more came to be sent for a moment. */
  async pause(signal: AbortSignal): Promise<void> {
    for (let before = -1; this.#isSending || before !== this.#connection.bytesOut;) {
      before = this.#connection.bytesOut;
      await delay(INPUT_PAUSE, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }
}

/** Waits for the peer to end, too: closing on unread bytes could cut off our last ones. */
async function ended(
  receiving: Promise<void>,
  { connection, within }: { connection: Connection; within: number | undefined },
): Promise<void> {
  if (within === undefined) return await receiving;
  let isLate = false;
  const timer = setTimeout(
    tasks.guard(() => {
      isLate = true;
      connection.close("closed by us");
    }),
    within,
  );
  try {
    await receiving;
  } catch (error) {
    if (!isLate) throw error;
  } finally {
    clearTimeout(timer);
  }
}

const tasks = new TaskScope("the timeout at the end of a connection", {
  without: "the peer ends it",
});

function discard(): Promise<void> {
  return Promise.resolve();
}
