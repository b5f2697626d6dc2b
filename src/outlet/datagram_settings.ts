/**
 * The settings of a datagram outlet.
 *
 * @module
 */
import type { Capturing } from "../connection/capture.ts";
import type { Deadlines } from "../connection/deadlines.ts";
import type { DatagramHandler } from "../connection/session.ts";

/** The settings of a datagram outlet. They may change from one session to the next. */
export interface DatagramSettings {
  /** Serves each session. */
  readonly handler: DatagramHandler;
  /** Whether the service answers, so that its clients may not be at the ports of other services. */
  readonly answers: boolean;
  /** Whether answers beyond loopback may not be longer than what they answer. */
  readonly limitsAnswers: boolean;
  /** The longest datagram in bytes; longer ones are dropped. */
  readonly maxDatagram: number;
  /** Datagrams a second from one address; by default 1,000 beyond loopback. 0: no limit. */
  readonly rate: number | undefined;
  /** Opens the file that the datagrams of a session are written to. */
  readonly capture?: ((session: number) => Promise<Capturing | undefined>) | undefined;
  /** When sessions are closed by a deadline. */
  readonly deadlines: Deadlines;
}
