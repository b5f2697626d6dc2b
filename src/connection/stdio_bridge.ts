/**
 * Bridges standard input and output and a connection.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import { handledElsewhere, TaskScope } from "../scheduling/task_scope.ts";
import type { Connection } from "./connection.ts";
import type { EofPolicy } from "./eof_policy.ts";

/** After the peer's FIN, how long the input may pause before the bridge ends, in milliseconds. */
const INPUT_PAUSE = 250;

/** Standard input and output. */
export interface StdioEndpoints {
  /** The data to send: chunks, each valid until the next. */
  readonly input: AsyncIterable<Uint8Array>;
  /** Writes received bytes. The next read starts when it resolves. */
  show(bytes: Uint8Array): Promise<void>;
  /** Closes the output when nothing more is received, while the input goes on. */
  closeOutput?(): Promise<void>;
}

/**
 * Copies bytes in both directions until both have ended, until the peer has sent its FIN and the
 * input pauses (without `keepSending`), or until `closeTimeout` is over.
 */
export async function bridgeStdio(
  connection: Connection,
  { input, show, closeOutput }: StdioEndpoints,
  { only, halfClose, closeTimeout, keepSending = false }: EofPolicy,
): Promise<void> {
  const receiving = connection.forEachChunk(only === "send" ? discard : show);
  if (only === "receive") return await receiving;
  const sender = new Sender(connection);
  const sending = sender.send(input, { halfClose });
  // Only one of the two is awaited below; the other's error is ignored.
  handledElsewhere(receiving);
  handledElsewhere(sending);
  const first = await Promise.race([
    sending.then(() => "sent" as const, () => "not sent" as const),
    receiving.then(() => "received" as const, () => "not received" as const),
  ]);
  if (first === "received") {
    if (keepSending) {
      await closeOutput?.();
      return await sending;
    }
    const abort = new AbortController();
    return await Promise.race([sending, sender.pause(abort.signal)]).finally(() => abort.abort());
  }
  if (first === "not received") return await receiving;
  // What the peer sent before it reset the connection is still shown.
  if (first === "not sent") return await receiving.catch(() => {}).then(() => sending);
  await ended(receiving, { connection, within: closeTimeout });
}

/** Sends the input, and knows whether a write is pending. */
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

  /** Resolves when no write is pending and the input has paused. */
  async pause(signal: AbortSignal): Promise<void> {
    for (let before = -1; this.#isSending || before !== this.#connection.bytesOut;) {
      before = this.#connection.bytesOut;
      await delay(INPUT_PAUSE, { signal }).catch(() => {});
      if (signal.aborted) return;
    }
  }
}

/** Waits for the peer's FIN: closing with unread data could lose the last bytes sent. */
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
  consequence: "the peer ends it",
});

function discard(): Promise<void> {
  return Promise.resolve();
}
