import { delay } from "@std/async/delay";
import { SEND_QUEUE_LIMIT, SendQueue } from "../chat/send_queue.ts";
import type { Connection } from "../connection/connection.ts";
import { flag } from "../options/option.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { TurnBudget } from "../scheduling/turn_budget.ts";
import { explain } from "../transport/errors.ts";
import { type Service, service, type ServiceContext } from "./service.ts";

/** The most bytes that are sent to all at a time. */
const PIECE = 64 * 1024;

/** The queued bytes above which senders wait for a member. */
const HIGH_WATER_MARK = SEND_QUEUE_LIMIT - PIECE;

/** How long senders wait for a member that takes less than a piece in that time, in milliseconds. */
const PATIENCE = 1_000;

const tasks = new TaskScope("sending stdin to all clients", {
  consequence: "what clients send still reaches the others",
});

/** Sends what each client sends to all others, as bytes (`ncat --broker`). */
export const broker: Service = service({
  name: "broker",
  summary: "send each client's bytes to all others, without names",
  oneThread: "its clients must be in one thread to reach each other",
  usesStandardStreams: ({ stdin }) => stdin,
  options: {
    stdin: flag("send stdin to all clients, too"),
  },
  datagram: {
    refused: "a sender's address may be forged, and would get what all others send",
  },
  open({ stdin }, { standard, signal, failed }) {
    const members = new Members();
    if (stdin) tasks.run(sendInput(members, { input: standard.input, signal, failed }));
    return async (connection) => {
      await using queue = new SendQueue(connection);
      const member = new Member(connection, queue);
      members.add(member);
      try {
        await connection.forEachChunk((chunk) => members.send(chunk, member));
      } finally {
        members.delete(member);
      }
    };
  },
});

/** Sends all input; while there is no client, it is not read. */
async function sendInput(
  members: Members,
  { input, signal, failed }: Pick<ServiceContext, "signal" | "failed"> & {
    input: AsyncIterable<Uint8Array>;
  },
): Promise<void> {
  try {
    await members.present();
    for await (const chunk of input) {
      if (signal.aborted) return;
      await members.present();
      await members.send(chunk);
    }
  } catch (error) {
    failed(`cannot read stdin: ${explain(error)}`);
  }
}

/** A client, and the bytes that wait for it. */
class Member {
  readonly #connection: Connection;
  readonly #queue: SendQueue;

  constructor(connection: Connection, queue: SendQueue) {
    this.#connection = connection;
    this.#queue = queue;
  }

  /** Whether senders have to wait for it. */
  get isSlow(): boolean {
    return !this.#queue.isClosed && this.#queue.waiting > HIGH_WATER_MARK;
  }

  /** Queues bytes without copying them. */
  post(bytes: Uint8Array): void {
    this.#queue.post(bytes);
  }

  /** Resolves when it has caught up. If it takes almost nothing, it is disconnected. */
  async caughtUp(): Promise<void> {
    using timer = new Timer();
    const sent = this.#queue.sent();
    const pause = () => Promise.race([sent, timer.wait(PATIENCE / 2)]);
    while (this.isSlow) {
      await pause();
      if (!this.isSlow) return;
      const before = await this.#unread();
      await pause();
      if (!this.isSlow || hasTaken(before, await this.#unread())) continue;
      const queued = this.#queue.waiting >> 10;
      this.#connection.close(`error: slow consumer, ${queued} KiB queued`);
    }
  }

  /** Bytes that its kernel has not acknowledged, if known. Asking takes up to a millisecond. */
  async #unread(): Promise<number | undefined> {
    await asking.spend();
    return this.#connection.unacknowledged;
  }
}

/** For all outlets: many clients that do not read are looked at together. */
const asking = new TurnBudget({ clockEvery: 1 });

/** Whether the kernel of a client has taken data at the least rate. */
function hasTaken(before: number | undefined, now: number | undefined): boolean {
  return before !== undefined && now !== undefined && before - now >= PIECE / 2;
}

/** A timer that is cleared when it is disposed. */
class Timer implements Disposable {
  readonly #over = new AbortController();

  /** Resolves after so many milliseconds. */
  wait(milliseconds: number): Promise<void> {
    return delay(milliseconds, { signal: this.#over.signal }).catch(() => {});
  }

  [Symbol.dispose](): void {
    this.#over.abort();
  }
}

/** All clients of an outlet. Bytes are sent to them one piece after the other, so their queues are bounded. */
class Members {
  readonly #members = new Set<Member>();
  readonly #budget = new TurnBudget({ clockEvery: 8 });
  #turn: Promise<void> = Promise.resolve();
  #joined = Promise.withResolvers<void>();

  add(member: Member): void {
    this.#members.add(member);
    this.#joined.resolve();
  }

  delete(member: Member): void {
    this.#members.delete(member);
    if (this.#members.size === 0) this.#joined = Promise.withResolvers<void>();
  }

  /** Resolves when there is a client. */
  present(): Promise<void> {
    return this.#joined.promise;
  }

  /** Sends the bytes to all but their sender. Resolves when they are queued, which makes the sender wait. */
  async send(bytes: Uint8Array, sender?: Member): Promise<void> {
    for (let start = 0; start < bytes.length; start += PIECE) {
      const piece = bytes.subarray(start, start + PIECE);
      this.#turn = this.#turn.then(() => this.#post(piece, sender));
      await this.#turn;
    }
  }

  async #post(piece: Uint8Array, sender: Member | undefined): Promise<void> {
    const slow = [...this.#members].filter((member) => member !== sender && member.isSlow);
    if (slow.length > 0) await Promise.all(slow.map((member) => member.caughtUp()));
    // The sender's buffer is used again for its next bytes.
    const copy = piece.slice();
    for (const member of this.#members) {
      if (member !== sender) member.post(copy);
      const turn = this.#budget.spend();
      if (turn) await turn;
    }
  }
}
