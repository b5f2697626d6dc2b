/**
 * The sockets of a datagram outlet, which another outlet can take over without closing them.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { Session } from "../connection/session.ts";
import type { UdpAddress } from "../endpoint/address.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import type { DatagramListener, DatagramSocket } from "../transport/datagrams.ts";

/** A datagram and its sender. */
export type Received = readonly [datagram: Uint8Array, from: Deno.Addr];

/** The receiver of datagrams. */
export interface DatagramTaker {
  /** The length of the buffer to receive the next datagram in. */
  readonly bufferLength: number;
  /** The session of a datagram; `undefined` if the datagram is dropped. It must not throw. */
  sessionOf(received: Received, socket: DatagramSocket): Session | undefined;
  /** Called when a handler failed. */
  broken(session: Session, error: unknown): void;
  /** Called when receiving failed; the loop pauses for `pause` milliseconds. */
  onFault(error: unknown, pause: number): void;
}

/** The pause after a failed receive, in milliseconds. It doubles from `first` to `last`. */
const PAUSE = { first: 10, last: 500 };

const tasks = new TaskScope("receiving datagrams", {
  consequence: "the other sockets of the outlet receive",
});

/** The sockets at one address. They receive once there is a taker. */
export class DatagramWelcomeSocket {
  /** The address at which it is bound. */
  readonly address: UdpAddress;
  readonly #sockets: DatagramSocket[];
  readonly #follow: DatagramListener["follow"];
  readonly #closed = new AbortController();
  readonly #loops = new Set<Promise<void>>();
  #following: Disposable | undefined;
  #taker: DatagramTaker | undefined;

  /** Takes over a listener. */
  constructor({ address, sockets, follow }: DatagramListener) {
    this.address = address;
    this.#sockets = [...sockets];
    this.#follow = follow;
  }

  /** The local addresses of its sockets. */
  get locals(): readonly UdpAddress[] {
    return this.#sockets.map(({ address }) => address);
  }

  /** Whether its datagrams go to this taker. */
  serves(taker: DatagramTaker): boolean {
    return this.#taker === taker;
  }

  /** Passes datagrams to this taker from now on. */
  serve(taker: DatagramTaker): void {
    const isFirst = this.#taker === undefined;
    this.#taker = taker;
    if (!isFirst) return;
    for (const socket of this.#sockets) this.#start(socket);
    this.#following = this.#follow?.((socket) => {
      this.#sockets.push(socket);
      this.#start(socket);
    });
  }

  /** Closes the sockets. Datagrams that wait in their receive buffers are lost. */
  async close(): Promise<void> {
    if (!this.#closed.signal.aborted) {
      this.#closed.abort();
      this.#following?.[Symbol.dispose]();
      for (const socket of this.#sockets) socket.close();
    }
    await Promise.all(this.#loops);
  }

  #start(socket: DatagramSocket): void {
    const loop = this.#receiveAll(socket).finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
    tasks.run(loop);
  }

  /** Receives until the socket is closed. The next datagram is received when the last is handled. */
  async #receiveAll(socket: DatagramSocket): Promise<void> {
    const { signal } = this.#closed;
    let buffer = new Uint8Array(0);
    let pause = 0;
    while (!signal.aborted) {
      const { bufferLength } = this.#taker!;
      if (buffer.length !== bufferLength) buffer = new Uint8Array(bufferLength);
      let session: Session | undefined;
      try {
        const received = await socket.receive(buffer);
        pause = 0;
        session = this.#taker!.sessionOf(received, socket);
        await session?.deliver(received[0]);
      } catch (error) {
        if (session) this.#taker!.broken(session, error);
        if (signal.aborted) return;
        if (session) continue;
        pause = Math.min(Math.max(pause * 2, PAUSE.first), PAUSE.last);
        this.#taker!.onFault(error, pause);
        await delay(pause, { signal }).catch(() => {});
      }
    }
  }
}
