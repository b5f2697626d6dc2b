/**
 * A UDP client inside the test.
 *
 * @module
 */
import { bytesOf } from "./bytes.ts";

/** How long an answer is waited for, in milliseconds. */
const PATIENCE = 20_000;

/** A socket that sends datagrams to one port of 127.0.0.1, and gets what is sent to it. */
export class UdpClient implements Disposable {
  readonly #socket: Deno.DatagramConn;
  readonly #to: Deno.NetAddr;
  #receiving: Promise<[Uint8Array, Deno.Addr]> | undefined;

  /** Sends to this port. */
  constructor(port: number, { from = 0 }: { from?: number } = {}) {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: from });
    this.#to = { transport: "udp", hostname: "127.0.0.1", port };
  }

  /** Its own port. */
  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  /** Sends a datagram. */
  async send(datagram: string | Uint8Array): Promise<void> {
    await this.#socket.send(typeof datagram === "string" ? bytesOf(datagram) : datagram, this.#to);
  }

  /** Sends a datagram to another address. */
  async sendTo(datagram: string | Uint8Array, to: Deno.Addr): Promise<void> {
    await this.#socket.send(typeof datagram === "string" ? bytesOf(datagram) : datagram, to);
  }

  /** The next datagram that comes. */
  async receive(): Promise<Uint8Array> {
    const [datagram] = await this.#next();
    return datagram;
  }

  /** The sender of the next datagram that comes. */
  async receiveFrom(): Promise<Deno.Addr> {
    const [, from] = await this.#next();
    return from;
  }

  async #next(): Promise<[Uint8Array, Deno.Addr]> {
    this.#receiving ??= this.#socket.receive(new Uint8Array(65_536));
    this.#receiving.catch(() => {});
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error("no datagram came")), PATIENCE);
    });
    try {
      const received = await Promise.race([this.#receiving, late]);
      this.#receiving = undefined;
      return received;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a datagram; resolves to the next one that comes, as text. */
  async ask(datagram: string | Uint8Array): Promise<string> {
    await this.send(datagram);
    return new TextDecoder().decode(await this.receive());
  }

  /** Closes its socket. */
  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
