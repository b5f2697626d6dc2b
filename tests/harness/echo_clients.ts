/**
 * Clients of an echo outlet beside one that is attacked.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { noise, send } from "./bytes.ts";

/**
 * Time limit for all clients together, in milliseconds: a server blocked by an attack reaches it,
 * and a slow machine does not.
 */
const TIME_LIMIT = 180_000;

/** The number of clients: enough for each of two workers to have some. */
const CLIENTS = 12;

/** The number of answers that each client needs. */
const ROUNDS = 10;

/** Clients of one outlet. */
export class EchoClients implements Disposable {
  readonly #port: number;
  readonly #conns: Deno.TcpConn[] = [];

  private constructor(port: number) {
    this.#port = port;
  }

  /** Connects them. */
  static async of(port: number): Promise<EchoClients> {
    const clients = new EchoClients(port);
    for (let i = 0; i < CLIENTS; i++) clients.#conns.push(await connect(port));
    return clients;
  }

  /** Fails unless all of them and a new client are answered within the time limit. */
  async areAnswered(): Promise<void> {
    let round = 0;
    const rounds = async () => {
      while (round++ < ROUNDS) {
        using newcomer = await connect(this.#port);
        await Promise.all([...this.#conns, newcomer].map(exchange));
      }
    };
    await unfrozen(rounds(), () => `round ${round} of ${ROUNDS}`);
  }

  [Symbol.dispose](): void {
    for (const conn of this.#conns) conn.close();
  }
}

/** Fails unless the echo outlet at a port answers a new client. */
export async function answers(port: number | string): Promise<void> {
  const visit = async () => {
    using conn = await connect(Number(port));
    await exchange(conn);
  };
  await unfrozen(visit(), () => "a newcomer");
}

function connect(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

async function unfrozen(work: Promise<void>, what: () => string): Promise<void> {
  await deadline(work, TIME_LIMIT).catch((error: Error) => {
    if (error.name !== "TimeoutError") throw error;
    throw new Error(`${what()} was not answered in ${TIME_LIMIT / 1_000} s: the server is frozen`);
  });
}

async function exchange(conn: Deno.TcpConn): Promise<void> {
  const sent = noise(16, 1 + Math.floor(Math.random() * 1e9));
  const received = new Uint8Array(16);
  await send(conn, sent);
  for (let length = 0; length < received.length;) {
    const count = await conn.read(received.subarray(length));
    if (count === null) throw new Error("a client of the echo outlet was cut off");
    length += count;
  }
  assertEquals(received, sent);
}
