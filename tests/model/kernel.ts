/**
 * A simulated kernel: listening sockets, accept queues, and connections that are reset.
 *
 * @module
 */
import { type Address, formatAddress, isUnix } from "../../src/endpoint/address.ts";
import type { listen, Listener } from "../../src/transport/listen.ts";
import type { ByteStream } from "../../src/transport/stream.ts";
import type { Scheduler } from "./scheduler.ts";

/** A client, from its own side. */
export class ModelClient {
  /** Whether it was reset by the kernel. */
  isReset = false;
  /** Whether it was accepted. */
  isAccepted = false;
  readonly #ended = Promise.withResolvers<null>();

  /** Whether the server has closed its connection. */
  isClosed = false;

  constructor(readonly address: Address, readonly number: number) {}

  /** Half-closes. */
  leave(): void {
    this.#ended.resolve(null);
  }

  /** The server's side of it. */
  get stream(): ByteStream {
    const addr = (port: number) => ({ transport: "tcp", hostname: "127.0.0.1", port }) as const;
    const closed = Promise.withResolvers<never>();
    closed.promise.catch(() => {});
    return {
      localAddr: addr(isUnix(this.address) ? 0 : this.address.port),
      remoteAddr: addr(this.number),
      read: () => Promise.race([this.#ended.promise, closed.promise]),
      write: (bytes) => Promise.resolve(bytes.length),
      closeWrite: () => Promise.resolve(),
      close: () => {
        this.isClosed = true;
        closed.reject(new Deno.errors.Interrupted("closed"));
      },
      setNoDelay() {},
      setKeepAlive() {},
    };
  }
}

/** A listening socket. */
interface Socket extends Listener {
  readonly key: string;
  readonly owner: string;
  readonly shared: boolean;
  readonly queue: ModelClient[];
  deliver(): void;
}

/** Ports and accept queues. */
export class Kernel {
  readonly #scheduler: Scheduler;
  readonly #sockets = new Set<Socket>();
  /** Addresses in use by another program. */
  readonly occupied = new Set<string>();
  #lastPort = 40_000;
  #lastClient = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The number of listening sockets of each address. */
  listening(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { key } of this.#sockets) counts.set(key, (counts.get(key) ?? 0) + 1);
    return counts;
  }

  /** `listen` for one owner: a worker, or the server itself. */
  listenFor(owner: string): typeof listen {
    return ({ address }, { shared = false, alone = false }) => {
      if (isUnix(address)) throw new Error("no files here");
      const port = address.port === 0 ? ++this.#lastPort : address.port;
      const bound = { ...address, port };
      const key = formatAddress(bound);
      const there = [...this.#sockets].filter((other) => other.key === key);
      const isTaken = this.occupied.has(key) ||
        there.some((other) => !shared || alone || !other.shared || other.owner === "gone");
      if (isTaken) throw new Error(`cannot listen on ${key}: address already in use`);
      const socket = this.#socket({ owner, key, shared, bound });
      this.#sockets.add(socket);
      return socket;
    };
  }

  /** Connects a client; `undefined` if no socket listens. */
  connect(address: Address): ModelClient | undefined {
    const key = formatAddress(address);
    const group = [...this.#sockets].filter((socket) => socket.key === key);
    if (group.length === 0) return undefined;
    const client = new ModelClient(address, ++this.#lastClient);
    const socket = this.#scheduler.pick(group);
    socket.queue.push(client);
    socket.deliver();
    return client;
  }

  /** Closes all sockets of a worker that ends, and cancels what it had started. */
  closeAll(owner: string): ModelClient[] {
    const lost: ModelClient[] = [];
    for (const socket of [...this.#sockets]) {
      if (socket.owner !== owner) continue;
      this.#sockets.delete(socket);
      lost.push(...socket.queue.splice(0));
    }
    return lost;
  }

  #socket(
    { owner, key, shared, bound }: {
      owner: string;
      key: string;
      shared: boolean;
      bound: { hostname: string; port: number };
    },
  ): Socket {
    const queue: ModelClient[] = [];
    let waiting: PromiseWithResolvers<ByteStream> | undefined;
    const socket: Socket = {
      key,
      owner,
      shared,
      queue,
      addr: { transport: "tcp", ...bound },
      deliver: () => {
        if (!waiting || queue.length === 0) return;
        const client = queue.shift()!;
        client.isAccepted = true;
        waiting.resolve(client.stream);
        waiting = undefined;
      },
      accept: () => {
        waiting = Promise.withResolvers();
        const { promise } = waiting;
        socket.deliver();
        return promise;
      },
      close: () => {
        this.#sockets.delete(socket);
        for (const client of queue.splice(0)) client.isReset = true;
        waiting?.reject(new Deno.errors.BadResource("closed"));
      },
    };
    return socket;
  }
}
