/**
 * Clients that reset their connection, through libc: Deno has no SO_LINGER.
 *
 * @module
 */

const libc = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const IPPROTO_TCP = 6;
const TCP_MAXSEG = 2;
const SO_LINGER = 13;
const SHUT_WR = 1;

/** A client that resets its connection when it is disposed. */
export class ResettingClient implements Disposable {
  readonly #descriptor: number;
  #isClosed = false;

  /**
   * Connects to a port of 127.0.0.1; blocks until the connection is established. It never reads;
   * with `narrow`, both kernels buffer some kilobytes for it instead of megabytes.
   */
  constructor(port: number, { narrow = false }: { narrow?: boolean } = {}) {
    const { socket, setsockopt, connect } = libc.symbols;
    this.#descriptor = socket(AF_INET, SOCK_STREAM, 0);
    const lingerForNoTime = new Int32Array([1, 0]);
    setsockopt(this.#descriptor, SOL_SOCKET, SO_LINGER, lingerForNoTime, 8);
    if (narrow) {
      setsockopt(this.#descriptor, SOL_SOCKET, SO_RCVBUF, new Int32Array([4096]), 4);
      setsockopt(this.#descriptor, IPPROTO_TCP, TCP_MAXSEG, new Int32Array([536]), 4);
    }
    if (connect(this.#descriptor, loopback(port), 16) !== 0) {
      throw new Error(`no connection to port ${port}`);
    }
  }

  /** Sends text. */
  send(text: string): void {
    const bytes = new TextEncoder().encode(text);
    libc.symbols.send(this.#descriptor, bytes, BigInt(bytes.length), 0);
  }

  /** Sends a FIN. */
  closeWrite(): void {
    libc.symbols.shutdown(this.#descriptor, SHUT_WR);
  }

  /** Closes it once: later its descriptor's number may be in use again. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    libc.symbols.close(this.#descriptor);
  }
}

/** A `struct sockaddr_in`. */
function loopback(port: number): Uint8Array<ArrayBuffer> {
  const address = new DataView(new ArrayBuffer(16));
  address.setUint16(0, AF_INET, true);
  address.setUint16(2, port);
  address.setUint32(4, 0x7f000001);
  return new Uint8Array(address.buffer);
}
