/**
 * A minimal simulation of two TCP ends (RFC 9293) and a lossy link, to compare the tracker's result
 * with the ends' states.
 *
 * @module
 */

/** A segment on the link. */
export interface SimulatedSegment {
  readonly fromClient: boolean;
  readonly flags: string;
  readonly seq: number;
  readonly ack: number;
  readonly length: number;
}

/** A random number in [0, 1). */
export type Random = () => number;

/** A mulberry32 random number generator. */
export function seeded(seed: number): Random {
  let state = seed;
  return function next(): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface SentSegment {
  readonly flags: string;
  readonly seq: number;
  readonly length: number;
}

/** One end: unacknowledged segments and next expected sequence number. */
export class SimulatedEnd {
  state: string;
  readonly isn: number;
  bytes = 0;
  #next: number;
  #expected = 0;
  #unacknowledged: SentSegment[] = [];
  readonly #isClient: boolean;
  readonly #wire: SimulatedSegment[];

  constructor(wire: SimulatedSegment[], options: { isClient: boolean; isn: number }) {
    this.#wire = wire;
    this.#isClient = options.isClient;
    this.isn = this.#next = options.isn >>> 0;
    this.state = options.isClient ? "CLOSED" : "LISTEN";
  }

  open(): void {
    this.state = "SYN_SENT";
    this.#send("S", 0);
  }

  write(length: number): void {
    if (this.state !== "ESTABLISHED" && this.state !== "CLOSE_WAIT") return;
    this.bytes += length;
    this.#send("PA", length);
  }

  close(): void {
    if (this.state === "ESTABLISHED") this.state = "FIN_WAIT1";
    else if (this.state === "CLOSE_WAIT") this.state = "LAST_ACK";
    else return;
    this.#send("FA", 0);
  }

  /** Retransmits all unacknowledged segments. */
  timeOut(): void {
    for (const sent of this.#unacknowledged) this.#put(sent);
  }

  receive(segment: SimulatedSegment): void {
    if (segment.flags.includes("S")) return this.#receiveSyn(segment);
    if (this.state === "SYN_SENT" || this.state === "LISTEN" || this.state === "CLOSED") return;
    this.#takeAck(segment.ack);
    const span = segment.length + (segment.flags.includes("F") ? 1 : 0);
    if (span === 0) return;
    if (segment.seq === this.#expected) {
      this.#expected = (this.#expected + span) >>> 0;
      if (segment.flags.includes("F")) this.#takeFin();
    }
    this.#acknowledge();
  }

  #receiveSyn(segment: SimulatedSegment): void {
    if (segment.flags === "S" && this.state === "LISTEN") {
      this.#expected = (segment.seq + 1) >>> 0;
      this.state = "SYN_RECV";
      this.#send("SA", 0);
    } else if (segment.flags === "SA" && this.state === "SYN_SENT") {
      this.#expected = (segment.seq + 1) >>> 0;
      this.#takeAck(segment.ack);
      this.state = "ESTABLISHED";
      this.#acknowledge();
    } else if (this.state === "SYN_RECV") {
      this.timeOut();
    } else if (this.state !== "CLOSED") {
      this.#acknowledge();
    }
  }

  #takeAck(ack: number): void {
    this.#unacknowledged = this.#unacknowledged.filter((sent) => {
      const end = sent.seq + sent.length + (/[SF]/.test(sent.flags) ? 1 : 0);
      return ((end - ack) | 0) > 0;
    });
    if (this.state === "SYN_RECV" && ((ack - this.isn) | 0) > 0) this.state = "ESTABLISHED";
    if (this.#unacknowledged.some(({ flags }) => flags === "FA")) return;
    if (this.state === "FIN_WAIT1") this.state = "FIN_WAIT2";
    else if (this.state === "CLOSING") this.state = "TIME_WAIT";
    else if (this.state === "LAST_ACK") this.state = "CLOSED";
  }

  #takeFin(): void {
    if (this.state === "ESTABLISHED") this.state = "CLOSE_WAIT";
    else if (this.state === "FIN_WAIT1") this.state = "CLOSING";
    else if (this.state === "FIN_WAIT2") this.state = "TIME_WAIT";
  }

  #acknowledge(): void {
    this.#put({ flags: "A", seq: this.#next, length: 0 });
  }

  #send(flags: string, length: number): void {
    const sent = { flags, seq: this.#next, length };
    this.#next = (this.#next + length + (/[SF]/.test(flags) ? 1 : 0)) >>> 0;
    this.#unacknowledged.push(sent);
    this.#put(sent);
  }

  #put({ flags, seq, length }: SentSegment): void {
    const ack = flags === "S" ? 0 : this.#expected;
    this.#wire.push({ fromClient: this.#isClient, flags, seq, ack, length });
  }
}

/**
 * Simulates a random connection over a lossy link, at the end without loss; `see` receives every
 * segment.
 */
export function simulateConnection(
  random: Random,
  { loss, steps, see }: { loss: number; steps: number; see(segment: SimulatedSegment): void },
): { client: SimulatedEnd; server: SimulatedEnd } {
  const wire: SimulatedSegment[] = [];
  const client = new SimulatedEnd(wire, { isClient: true, isn: random() * 2 ** 32 });
  const server = new SimulatedEnd(wire, { isClient: false, isn: random() * 2 ** 32 });
  function deliver(loses: boolean): void {
    for (let segment = wire.shift(); segment !== undefined; segment = wire.shift()) {
      see(segment);
      if (!loses || random() >= loss) (segment.fromClient ? server : client).receive(segment);
    }
  }
  client.open();
  for (let step = 0; step < steps; step += 1) {
    deliver(true);
    const end = random() < 0.5 ? client : server;
    const action = random();
    if (action < 0.6) end.write(1 + Math.floor(random() * 1000));
    else if (action < 0.95) end.timeOut();
    else end.close();
  }
  // Retransmits without loss until both ends agree.
  for (let round = 0; round < 4; round += 1) {
    client.timeOut();
    server.timeOut();
    deliver(false);
  }
  return { client, server };
}
