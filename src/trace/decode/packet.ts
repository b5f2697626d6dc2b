/**
 * A packet as a capture holds it.
 *
 * @module
 */
/** Where the bytes of one captured packet lie. A reader fills the same object again for each packet. */
export class Packet {
  /** The buffer the packet lies in; valid until the next packet is asked for. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Where in {@linkcode view} the captured bytes begin. */
  start = 0;
  /** Where in {@linkcode view} the captured bytes end; the packet itself may have been longer. */
  end = 0;
  /** How long the packet was before a capture cut it short. */
  originalLength = 0;
  /** When it was captured: whole seconds since 1970. */
  seconds = 0;
  /** When it was captured: the nanoseconds of that second. */
  nanoseconds = 0;
  /** What the bytes begin with: a LINKTYPE of <https://www.tcpdump.org/linktypes.html>. */
  link = 0;
  /** The interface it was seen on where the capture tells, else 0. */
  interface = 0;
}

/** A capture that cannot be read on, and the byte where it went wrong. */
export class CaptureError extends Error {
  /** How far into the stream the damage begins, where that is known. */
  readonly offset: number | undefined;

  /** Says what is wrong, then where. */
  constructor(message: string, offset?: number) {
    super(offset === undefined ? message : `${message} (at byte ${offset})`);
    this.name = "CaptureError";
    this.offset = offset;
  }
}
