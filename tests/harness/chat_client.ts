/**
 * Members of a chat room, connected over TCP, who record what they receive.
 *
 * @module
 */
import { send } from "./bytes.ts";

/** Time limit for expected lines, in milliseconds. */
const TIME_LIMIT = 60_000;

/** A member. */
export class ChatClient implements Disposable {
  /** The lines of other members, as `name> text`, in the order of arrival. */
  readonly messages: string[] = [];
  /** All other lines. */
  readonly notices: string[] = [];
  readonly #conn: Deno.TcpConn;
  readonly #waiting = new Set<() => void>();
  #ended = false;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    this.#read().catch(() => {});
  }

  /** Connects, and waits for the welcome. */
  static async join(port: number): Promise<ChatClient> {
    using undo = new DisposableStack();
    const guest = undo.use(new ChatClient(await Deno.connect({ hostname: "127.0.0.1", port })));
    await guest.until(() => guest.notices.some((line) => line.startsWith("* welcome")));
    undo.move();
    return guest;
  }

  /** Its own port. */
  get port(): number {
    return this.#conn.localAddr.port;
  }

  /** Sends a line. */
  async sendLine(line: string): Promise<void> {
    await send(this.#conn, line + "\n");
  }

  /** Resolves to the first line of the room itself that matches. */
  async receivesNotice(pattern: RegExp): Promise<string> {
    await this.until(() => this.notices.some((line) => pattern.test(line)));
    return this.notices.find((line) => pattern.test(line))!;
  }

  /** Asks for the list of members until there are this many. */
  async countsMembers(count: number): Promise<void> {
    for (const end = performance.now() + TIME_LIMIT; performance.now() < end;) {
      const before = this.notices.length;
      await this.sendLine("/who");
      const fits = (line: string) => /^\* \d+ here: /.test(line);
      await this.until(() => this.notices.slice(before).some(fits));
      if (this.notices.slice(before).find(fits)!.startsWith(`* ${count} here`)) return;
    }
    throw new Error(`there never were ${count} members: ${this.notices.at(-1)?.slice(0, 200)}`);
  }

  /** Resolves when the condition holds, which is checked after each chunk. */
  async until(holds: () => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const missing = () => {
      const lately = [...this.notices.slice(-5), ...this.messages.slice(-5)];
      reject(
        new Error(`waited in vain; ${this.messages.length} said, lately ${JSON.stringify(lately)}`),
      );
    };
    const timer = setTimeout(missing, TIME_LIMIT);
    const look = () => holds() ? resolve() : this.#ended && missing();
    this.#waiting.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch {
      // The server has closed it.
    }
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(64 * 1024);
    let rest = "";
    try {
      for (let n = await this.#conn.read(buffer); n !== null; n = await this.#conn.read(buffer)) {
        const lines = (rest + decoder.decode(buffer.subarray(0, n), { stream: true })).split("\n");
        rest = lines.pop()!;
        for (const line of lines) {
          (/^[^*]\S*> /.test(line) ? this.messages : this.notices).push(line);
        }
        for (const look of this.#waiting) look();
      }
    } finally {
      this.#ended = true;
      for (const look of this.#waiting) look();
    }
  }
}

/**
 * One member of each group sends its share of the lines; waits until all members have received all
 * of them.
 *
 * @returns faults in the members' transcripts: lines that are missing, duplicated or out of order
 */
export async function exchangeLines(
  parts: readonly (readonly ChatClient[])[],
  { lines, padding = "", during }: {
    lines: number;
    /** Appended to each line's number, to make it long. */
    padding?: string;
    during?: (sent: number) => Promise<void> | void;
  },
): Promise<string[]> {
  const senders = parts.map((part) => part[0]!);
  const share = Math.floor(lines / senders.length);
  let count = 0;
  await Promise.all(senders.map(async (sender, s) => {
    for (let i = 0; i < share; i++) {
      await sender.sendLine(`${s}:${i}:${padding}`);
      await during?.(++count);
    }
  }));
  const guests = parts.flat();
  const expected = (guest: ChatClient) =>
    share * (senders.length - (senders.includes(guest) ? 1 : 0));
  await Promise.all(
    guests.map((guest) => guest.until(() => guest.messages.length >= expected(guest))),
  );
  return guests.flatMap((guest, g) =>
    faultsOf(guest, senders, share).map((it) => `guest ${g} ${it}`)
  );
}

function faultsOf(guest: ChatClient, senders: readonly ChatClient[], share: number): string[] {
  return senders.flatMap((sender, s) => {
    const received = guest.messages
      .map((line) => line.replace(/^\S+> /, ""))
      .filter((text) => text.startsWith(`${s}:`))
      .map((text) => Number(text.split(":")[1]));
    const due = sender === guest ? 0 : share;
    const isInOrder = received.every((number, i) => number === i);
    return received.length === due && isInOrder ? [] : [
      `read ${received.length} of ${due} lines of speaker ${s}, ${
        isInOrder ? "in" : "out of"
      } order`,
    ];
  });
}
