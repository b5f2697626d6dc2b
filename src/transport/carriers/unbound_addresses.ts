/**
 * Finds datagrams to local addresses that have no socket, such as 127.0.0.7: all of 127.0.0.0/8 is
 * local, and only 127.0.0.1 is listed.
 *
 * A socket on 0.0.0.0 beside those of the local addresses gets what is sent to no other of them, and
 * libc's `recvmsg` tells the address (IP_PKTINFO, ip(7)), which Deno does not. From then on, the
 * address has a socket of its own. On Linux, with permission for FFI.
 *
 * @module
 */
import { formatIp, ipOfBytes } from "../../endpoint/ip.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { findDatagramSocket, SOL_SOCKET } from "../descriptor.ts";
import { type Libc, libc } from "../libc.ts";

const tasks = new TaskScope("looking for datagrams to further local addresses", {
  consequence: "they are not answered",
});

/** How often is looked, in milliseconds: only the first datagrams to an address wait for it. */
const PERIOD = 50;

/** Datagrams that are read in one look. */
const MAX_READ = 64;

/** Constants of socket(7) and ip(7) on Linux. */
const AF_INET = 2;
const SOCK_DGRAM_NONBLOCK_CLOEXEC = 2 | 0o4000 | 0o2000000;
const SO_REUSEADDR = 2;
const IPPROTO_IP = 0;
const IP_PKTINFO = 8;
const MSG_DONTWAIT = 0x40;

/** A datagram to an address without a socket. */
export interface UnboundDatagram {
  /** The local address that it was sent to. */
  readonly hostname: string;
  /** The datagram. */
  readonly datagram: Uint8Array;
  /** Its sender. */
  readonly from: Deno.NetAddr;
}

/** What is done with datagrams to an address without a socket. */
export interface UnboundOptions {
  /** Binds a socket to the address. */
  bind(hostname: string): void;
  /** Called after that, with the datagrams that came before. */
  opened(hostname: string, datagrams: readonly UnboundDatagram[]): void;
}

/** A socket on 0.0.0.0, beside the sockets of some local addresses. */
export class UnboundAddresses implements Disposable {
  readonly #libc: Libc;
  readonly #descriptor: number;
  readonly #message = new Message();
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(
    { libc, descriptor }: { libc: Libc; descriptor: number },
    options: UnboundOptions,
  ) {
    this.#libc = libc;
    this.#descriptor = descriptor;
    this.#timer = setInterval(tasks.guard(() => this.#look(options)), PERIOD);
    Deno.unrefTimer(this.#timer);
  }

  /** Binds the socket beside others at the same port; `undefined` if that is not possible. */
  static open(
    locals: readonly Deno.NetAddr[],
    options: UnboundOptions,
  ): UnboundAddresses | undefined {
    const system = libc();
    if (!system) return undefined;
    const descriptor = system.socket(AF_INET, SOCK_DGRAM_NONBLOCK_CLOEXEC, 0);
    if (descriptor < 0) return undefined;
    const set = (socket: number, level: number) => (name: number, value: number) =>
      system.setsockopt(socket, level, name, Int32Array.of(value), 4);
    const others = locals.flatMap((local) => findDatagramSocket(local)?.descriptor ?? []);
    // Only while this socket is bound, so that no other program can take an address over.
    for (const other of others) set(other, SOL_SOCKET)(SO_REUSEADDR, 1);
    set(descriptor, SOL_SOCKET)(SO_REUSEADDR, 1);
    set(descriptor, IPPROTO_IP)(IP_PKTINFO, 1);
    const isBound = system.bind(descriptor, anyAddress(locals[0]!.port), 16) === 0;
    for (const other of others) set(other, SOL_SOCKET)(SO_REUSEADDR, 0);
    if (isBound) return new UnboundAddresses({ libc: system, descriptor }, options);
    system.close(descriptor);
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#libc.close(this.#descriptor);
  }

  #look({ bind, opened }: UnboundOptions): void {
    const first = this.#read();
    if (first.length === 0) return;
    const hosts = new Set(first.map(({ hostname }) => hostname));
    for (const hostname of hosts) bind(hostname);
    // What came until the sockets were bound; from now on, they get it.
    const all = [...first, ...this.#read()];
    for (const hostname of hosts) {
      opened(hostname, all.filter((datagram) => datagram.hostname === hostname));
    }
  }

  #read(): UnboundDatagram[] {
    const found: UnboundDatagram[] = [];
    for (let read = 0; read < MAX_READ; read++) {
      const length = Number(
        this.#libc.recvmsg(this.#descriptor, this.#message.reset(), MSG_DONTWAIT),
      );
      if (length < 0) break;
      const datagram = this.#message.read(length);
      if (datagram) found.push(datagram);
    }
    return found;
  }
}

/** The `struct sockaddr_in` of 0.0.0.0 and a port. */
function anyAddress(port: number): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(16);
  new Uint16Array(address.buffer, 0, 1)[0] = AF_INET;
  new DataView(address.buffer).setUint16(2, port);
  return address;
}

/** The longest datagram that is read. */
const BUFFER = 65_508;

/** A `struct msghdr` on 64-bit Linux, and what it points to. */
class Message {
  readonly #header = new BigUint64Array(7);
  readonly #name = new Uint8Array(28);
  readonly #data = new Uint8Array(BUFFER);
  readonly #vector = new BigUint64Array(2);
  readonly #control = new Uint8Array(64);

  /** The header, ready to receive. */
  reset(): BigUint64Array<ArrayBuffer> {
    this.#vector.set([pointerTo(this.#data), BigInt(BUFFER)]);
    this.#header.set([
      pointerTo(this.#name),
      BigInt(this.#name.length),
      pointerTo(this.#vector),
      1n,
      pointerTo(this.#control),
      BigInt(this.#control.length),
      0n,
    ]);
    return this.#header;
  }

  /** The received datagram; `undefined` if it was sent to many: broadcast or multicast. */
  read(length: number): UnboundDatagram | undefined {
    // A cmsghdr of 16 bytes, then in_pktinfo: interface, local address, destination.
    const local = this.#control.subarray(20, 24);
    const destination = this.#control.subarray(24, 28);
    if (local.some((byte, at) => byte !== destination[at])) return undefined;
    const port = this.#name[2]! << 8 | this.#name[3]!;
    return {
      hostname: formatIp(ipOfBytes(local)),
      datagram: this.#data.slice(0, length),
      from: {
        transport: "udp",
        hostname: formatIp(ipOfBytes(this.#name.subarray(4, 8))),
        port,
      },
    };
  }
}

function pointerTo(bytes: Uint8Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
}
