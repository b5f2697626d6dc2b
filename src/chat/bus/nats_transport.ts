/**
 * The transport of the NATS library over our sockets: bounded memory, reading in turns of the event
 * loop, and no uncaught errors.
 *
 * @module
 */
import type { Socket } from "node:net";
import {
  type ConnectionOptions,
  type NatsConnection,
  NatsConnectionImpl,
  setTransportFactory,
} from "@nats-io/transport-node";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { TurnBudget } from "../../scheduling/turn_budget.ts";
import { dial } from "../../transport/dial.ts";
import { lookUp } from "../../transport/dial_address.ts";
import { FlowControl } from "../../transport/tls/flow_control.ts";
import { duplexOf } from "../../transport/tls/node_stream.ts";

/** The most bytes received during the handshake; the INFO of a large cluster has some kilobytes. */
const HANDSHAKE_LIMIT = 256 * 1024;

/** The most bytes of an incomplete message or line. */
const PENDING_LIMIT = 1024 * 1024;

/** The most pending writes, mostly PONGs to a server that does not read. */
const WRITES_LIMIT = 10_000;

/** Bytes that are parsed in one turn of the event loop. */
const TURN = { units: 64 * 1024 };

const tasks = new TaskScope("the connection to a NATS server", {
  consequence: "the bus reconnects",
});

/** The buffers of the library's parser for an incomplete message or line. */
interface Parser {
  readonly argBuf?: { readonly length: number };
  readonly msgBuf?: { readonly length: number };
  readonly ma?: { readonly size: number };
}

/**
 * Connects like the library's `connect`, with this transport.
 *
 * @internal
 */
export function connect(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({
    factory: () => new BoundedTransport(),
    dnsResolveFn: async (host) => [...await lookUp(host)],
  });
  return NatsConnectionImpl.connect(options);
}

/**
 * Ends the limit of the handshake.
 *
 * @internal
 */
export function confirmHandshake(connection: NatsConnection): void {
  const { transport, parser } =
    (connection as unknown as { protocol: { transport: unknown; parser: Parser } }).protocol;
  if (transport instanceof BoundedTransport) transport.confirmHandshake(parser);
}

class BoundedTransport extends NodeTransport {
  readonly #budget = new TurnBudget(TURN);
  readonly #dialling = new AbortController();
  #received = 0;
  #writes = 0;
  #parser: Parser | undefined;

  confirmHandshake(parser: Parser): void {
    this.#parser = parser;
  }

  override async dial(address: { hostname: string; port: number }): Promise<Socket> {
    const stream = await dial({ address }, { timeout: 0, signal: this.#dialling.signal });
    return keepErrorListener(duplexOf(stream, new FlowControl({ belowTls: false })) as Socket);
  }

  override async startTLS(): ReturnType<NodeTransport["startTLS"]> {
    return keepErrorListener(await super.startTLS());
  }

  /** Reads the first INFO. The library buffers without limit until the end of a line. */
  override peekInfo(): ReturnType<NodeTransport["peekInfo"]> {
    const info = super.peekInfo();
    this.socket.on("data", tasks.guard((frame: Uint8Array) => this.#countHandshake(frame)));
    return info;
  }

  /** Yields received chunks, and closes the socket if the library's parser throws. */
  override async *iterate(): AsyncIterableIterator<Uint8Array> {
    let isParsing = false;
    try {
      for await (const frame of super.iterate()) {
        if (!this.#parser) this.#countHandshake(frame);
        // The library unsets the socket once it is closed, and still parses what came before.
        const socket: Socket | undefined = this.socket;
        isParsing = true;
        socket?.cork();
        yield frame;
        socket?.uncork();
        isParsing = false;
        this.#checkPending();
        await this.#pause(this.#budget.spend(frame.length));
      }
    } finally {
      if (isParsing) this.#fail("not a NATS server");
    }
  }

  /** Also closes the socket of an abandoned attempt; the library closes only connected ones. */
  override async close(error?: Error): Promise<void> {
    this.#dialling.abort(new Error("the attempt was given up"));
    if (!this.connected) this.discard();
    await super.close(error);
  }

  /** Sends a frame; the number of pending ones is limited. */
  override async _send(frame: Uint8Array): Promise<void> {
    if (++this.#writes > WRITES_LIMIT) this.#fail("the server does not read its replies");
    try {
      await super._send(frame);
    } finally {
      this.#writes--;
    }
  }

  #countHandshake({ length }: Uint8Array): void {
    this.#received += length;
    if (this.#received > HANDSHAKE_LIMIT) {
      this.#fail(`more than ${HANDSHAKE_LIMIT >> 10} KiB received before the end of the handshake`);
    }
  }

  #checkPending(): void {
    const { argBuf, msgBuf, ma } = this.#parser ?? {};
    const pending = Math.max(
      argBuf?.length ?? 0,
      msgBuf ? Math.max(msgBuf.length, ma?.size ?? 0) : 0,
    );
    if (pending > PENDING_LIMIT) {
      this.#fail(`received a message of more than ${PENDING_LIMIT >> 20} MiB`);
    }
  }

  /** Pauses the socket until the next turn of the event loop. */
  async #pause(turn: Promise<void> | undefined): Promise<void> {
    if (!turn) return;
    const socket: Socket | undefined = this.socket;
    socket?.pause();
    await turn;
    socket?.resume();
  }

  #fail(reason: string): void {
    const socket: Socket | undefined = this.socket;
    socket?.destroy(new Error(reason));
  }
}

/**
 * Keeps an `error` listener on the socket. The library removes all listeners between its phases,
 * and an `error` event without a listener ends the process.
 */
function keepErrorListener<T extends Socket>(socket: T): T {
  const removeAllListeners = socket.removeAllListeners.bind(socket);
  const listen = () => socket.on("error", tasks.guard(() => {}));
  socket.removeAllListeners = (...event) => {
    removeAllListeners(...event);
    return listen();
  };
  return listen();
}
