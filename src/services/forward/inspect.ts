/**
 * Looks at the first bytes of a client, which stay to be read.
 *
 * @module
 */
import { handledElsewhere, TaskScope } from "../../scheduling/task_scope.ts";
import { formatDuration } from "../../options/quantity.ts";
import type { Connection } from "../../connection/connection.ts";
import { ByteBuffer } from "../../transport/byte_buffer.ts";
import { ClientHelloReader } from "../../transport/tls/hello_reader.ts";
import { type Protocol, protocolOf } from "./first_bytes.ts";

const tasks = new TaskScope("the time limit of a client's first bytes", {
  consequence: "the client is closed by another deadline",
});

/** What the first bytes of a client tell. */
export interface FirstBytes {
  /** Its protocol; `else` if it is another one, `silent` if it has sent nothing in time. */
  readonly protocol: Protocol | "else" | "silent";
  /** The host name that a TLS client asks for. */
  readonly serverName?: string | undefined;
  /** Why a TLS client cannot be routed by its ClientHello. */
  readonly fault?: string;
}

/** Options of {@linkcode inspect}. */
export interface InspectOptions {
  /** The time limit in milliseconds. */
  readonly timeout: number;
  /** Whether the host name of TLS clients is read. */
  readonly readsServerName: boolean;
}

/** Reads until the protocol is known, the time is over or the client has ended; then puts all back. */
export async function inspect(
  client: Connection,
  { timeout, readsServerName }: InspectOptions,
): Promise<FirstBytes> {
  using reading = new TimedReading(client, timeout);
  const seen = new ByteBuffer();
  const next = async () => {
    const chunk = await reading.next();
    if (chunk === "late") return `in ${formatDuration(timeout)}`;
    if (chunk === null) return "before it ended";
    seen.add(chunk);
    return chunk;
  };
  try {
    const protocol = await readProtocol(next, seen);
    return protocol === "tls" && readsServerName
      ? { protocol, ...await readServerName(next, seen) }
      : { protocol };
  } finally {
    if (seen.length > 0) client.unread(seen.bytes);
  }
}

/** Reads with one time limit for all reads; a read that is late is the connection's next one. */
class TimedReading implements Disposable {
  readonly #client: Connection;
  readonly #timer: ReturnType<typeof setTimeout>;
  #isLate = false;
  #wake = () => {};

  constructor(client: Connection, timeout: number) {
    this.#client = client;
    const late = () => {
      this.#isLate = true;
      this.#wake();
    };
    this.#timer = setTimeout(tasks.guard(late), timeout);
  }

  /** The next bytes; `null` after the client's FIN. */
  async next(): Promise<Uint8Array | null | "late"> {
    if (this.#isLate) return "late";
    // No race with one promise for all reads, which would remember each of them.
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#wake = () => resolve(false);
    handledElsewhere(this.#client.readAhead().then(() => resolve(true), reject));
    return await promise ? await this.#client.read() : "late";
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** The next bytes, or why there are none. */
type Next = () => Promise<Uint8Array | string>;

async function readProtocol(next: Next, seen: ByteBuffer): Promise<FirstBytes["protocol"]> {
  for (;;) {
    const known = protocolOf(seen.bytes);
    if (known !== undefined) return known;
    if (typeof await next() === "string") return seen.length === 0 ? "silent" : "else";
  }
}

async function readServerName(
  next: Next,
  seen: ByteBuffer,
): Promise<Pick<FirstBytes, "serverName" | "fault">> {
  const reader = new ClientHelloReader();
  try {
    for (let chunk: Uint8Array | string = seen.bytes;; chunk = await next()) {
      if (typeof chunk === "string") return { fault: `no whole ClientHello ${chunk}` };
      const hello = reader.push(chunk);
      if (hello) return { serverName: hello.serverName };
    }
  } catch (error) {
    return { fault: (error as Error).message };
  }
}
