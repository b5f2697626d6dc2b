/**
 * Generated captures, the same bytes each time.
 *
 * @module
 */

/** Parameters of a capture. */
export interface SyntheticCapture {
  /** Number of packets. */
  readonly packets: number;
  /** Packets per connection, at least eight. */
  readonly packetsPerFlow: number;
  /** Connections that are open at a time. */
  readonly concurrent: number;
}

const CLIENT_ISN = 0xfffff000;
const SERVER_ISN = 0x7ffff000;
const HEADERS = 14 + 20 + 20;
const LONGEST_PAYLOAD = 160;
const MICROSECONDS_APART = 7;

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const PSH = 0x08;
const ACK = 0x10;

interface Connection {
  readonly number: number;
  sent: number;
  readonly next: [client: number, server: number];
}

/**
 * Writes a pcap file of interleaved HTTP-like connections, the same bytes each time: most are
 * complete, one in sixteen is refused, one in thirty-two unanswered, one segment in a hundred
 * retransmitted.
 */
export function writeSyntheticCapture(path: string, shape: SyntheticCapture): void {
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const writer = new PacketWriter(file);
  const random = seededRandom(20_260_101);
  const open: Connection[] = [];
  let opened = 0;
  while (writer.packets < shape.packets) {
    if (open.length < shape.concurrent) {
      open.push({ number: opened, sent: 0, next: [CLIENT_ISN, SERVER_ISN] });
      opened += 1;
    }
    const at = Math.floor(random() * open.length);
    const connection = open[at];
    if (connection === undefined) continue;
    const isLast = writeNext(writer, connection, { random, length: shape.packetsPerFlow });
    if (isLast) open.splice(at, 1);
  }
  writer.flush();
}

function writeNext(
  writer: PacketWriter,
  connection: Connection,
  { random, length }: { random: () => number; length: number },
): boolean {
  const step = connection.sent;
  connection.sent += 1;
  if (step === 0) return write(writer, connection, { from: 0, flags: SYN });
  if (connection.number % 16 === 3) {
    return !write(writer, connection, { from: 1, flags: RST | ACK });
  }
  if (connection.number % 32 === 5) {
    connection.next[0] = CLIENT_ISN;
    write(writer, connection, { from: 0, flags: SYN });
    return step === 4;
  }
  if (step === 1) return write(writer, connection, { from: 1, flags: SYN | ACK });
  if (step === 2) return write(writer, connection, { from: 0, flags: ACK });
  if (step === length - 3) return write(writer, connection, { from: 0, flags: FIN | ACK });
  if (step === length - 2) return write(writer, connection, { from: 1, flags: FIN | ACK });
  if (step === length - 1) return !write(writer, connection, { from: 0, flags: ACK });
  if (step % 3 === 2) return write(writer, connection, { from: 0, flags: ACK });
  const payload = 1 + Math.floor(random() * LONGEST_PAYLOAD);
  const from = step % 3 === 0 ? 0 : 1;
  write(writer, connection, { from, flags: PSH | ACK, payload });
  if (random() < 0.01) {
    connection.next[from] = (connection.next[from] - payload) >>> 0;
    write(writer, connection, { from, flags: PSH | ACK, payload });
  }
  return false;
}

function write(
  writer: PacketWriter,
  connection: Connection,
  { from, flags, payload = 0 }: { from: 0 | 1; flags: number; payload?: number },
): false {
  const { number, next } = connection;
  const span = payload + ((flags & (SYN | FIN)) === 0 ? 0 : 1);
  writer.write({
    client: 0x0a000000 + (number >>> 14),
    clientPort: 32_768 + number % 16_384,
    server: 0x0afe0000 + number % 61,
    serverPort: 8000 + number % 5,
    from,
    flags,
    seq: (flags & RST) === 0 ? next[from] : 0,
    ack: (flags & ACK) === 0 ? 0 : next[from === 0 ? 1 : 0],
    payload,
  });
  next[from] = (next[from] + span) >>> 0;
  return false;
}

interface Frame {
  readonly client: number;
  readonly clientPort: number;
  readonly server: number;
  readonly serverPort: number;
  readonly from: 0 | 1;
  readonly flags: number;
  readonly seq: number;
  readonly ack: number;
  readonly payload: number;
}

/** Writes Ethernet frames with IPv4 and TCP headers as pcap records. */
class PacketWriter {
  packets = 0;
  readonly #file: Deno.FsFile;
  readonly #view = new DataView(new ArrayBuffer(1 << 20));
  #at = 24;

  constructor(file: Deno.FsFile) {
    this.#file = file;
    const view = this.#view;
    view.setUint32(0, 0xa1b2c3d4, true);
    view.setUint16(4, 2, true);
    view.setUint16(6, 4, true);
    view.setUint32(16, 262_144, true);
    view.setUint32(20, 1, true);
  }

  write(frame: Frame): void {
    const length = HEADERS + frame.payload;
    if (this.#at + 16 + length > this.#view.byteLength) this.flush();
    const microseconds = this.packets * MICROSECONDS_APART;
    const view = this.#view;
    const record = this.#at;
    view.setUint32(record, 1_767_225_600 + Math.floor(microseconds / 1e6), true);
    view.setUint32(record + 4, microseconds % 1e6, true);
    view.setUint32(record + 8, length, true);
    view.setUint32(record + 12, length, true);
    this.#writeHeaders(record + 16, frame);
    this.#at += 16 + length;
    this.packets += 1;
  }

  #writeHeaders(ethernet: number, frame: Frame): void {
    const view = this.#view;
    const ip = ethernet + 14;
    const tcp = ip + 20;
    view.setUint16(ethernet + 12, 0x0800);
    view.setUint32(ip, 0x45000000 + 40 + frame.payload);
    // A retransmitted segment has another IP identification; with the same one it would be a
    // duplicate.
    view.setUint32(ip + 4, (this.packets & 0xffff) * 0x10000 + 0x4000);
    view.setUint32(ip + 8, 0x40060000);
    view.setUint32(ip + 12, frame.from === 0 ? frame.client : frame.server);
    view.setUint32(ip + 16, frame.from === 0 ? frame.server : frame.client);
    view.setUint16(tcp, frame.from === 0 ? frame.clientPort : frame.serverPort);
    view.setUint16(tcp + 2, frame.from === 0 ? frame.serverPort : frame.clientPort);
    view.setUint32(tcp + 4, frame.seq);
    view.setUint32(tcp + 8, frame.ack);
    view.setUint16(tcp + 12, 0x5000 | frame.flags);
    view.setUint16(tcp + 14, 0xffff);
    view.setUint32(tcp + 16, 0);
  }

  flush(): void {
    let bytes = new Uint8Array(this.#view.buffer, 0, this.#at);
    while (bytes.length > 0) bytes = bytes.subarray(this.#file.writeSync(bytes));
    this.#at = 0;
  }
}

/** A mulberry32 random number generator. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
