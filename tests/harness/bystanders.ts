/**
 * Clients of an echo outlet beside one that is attacked. They want nothing but their own bytes back.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { deadline } from "@std/async/deadline";
import { noise, send } from "./bytes.ts";

/** How long a round trip may take, in milliseconds. */
const PATIENCE = 10_000;

/** How many there are: enough that each of two workers has some. */
const COUNT = 12;

/** How often each of them is answered before it is content. */
const ROUNDS = 10;

/** Some clients of one outlet. */
export class Bystanders implements Disposable {
  readonly #port: number;
  readonly #conns: Deno.TcpConn[] = [];

  private constructor(port: number) {
    this.#port = port;
  }

  /** Connects them. */
  static async of(port: number): Promise<Bystanders> {
    const bystanders = new Bystanders(port);
    for (let i = 0; i < COUNT; i++) bystanders.#conns.push(await connect(port));
    return bystanders;
  }

  /** Fails where one of them, or a newcomer, is not answered in time. */
  async areAnswered(): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) {
      using newcomer = await connect(this.#port);
      await Promise.all([...this.#conns, newcomer].map((conn) => deadline(talk(conn), PATIENCE)));
    }
  }

  [Symbol.dispose](): void {
    for (const conn of this.#conns) conn.close();
  }
}

/** Fails where the echo outlet at a port does not answer a newcomer. */
export async function answers(port: number | string): Promise<void> {
  using conn = await connect(Number(port));
  await deadline(talk(conn), PATIENCE);
}

function connect(port: number): Promise<Deno.TcpConn> {
  return deadline(Deno.connect({ hostname: "127.0.0.1", port }), PATIENCE);
}

async function talk(conn: Deno.TcpConn): Promise<void> {
  const sent = noise(16, 1 + Math.floor(Math.random() * 1e9));
  const received = new Uint8Array(16);
  await send(conn, sent);
  for (let length = 0; length < received.length;) {
    const count = await conn.read(received.subarray(length));
    if (count === null) throw new Error("a bystander was cut off");
    length += count;
  }
  assertEquals(received, sent);
}
