/**
 * A captured packet.
 *
 * @module
 */
/** One captured packet. The reader reuses the object for every packet. */
export class Packet {
  /** Buffer that holds the packet; valid until the next packet is read. */
  view: DataView = new DataView(new ArrayBuffer(0));
  /** Offset of the first captured byte in {@linkcode view}. */
  start = 0;
  /** Offset after the last captured byte in {@linkcode view}. */
  end = 0;
  /** Packet length on the wire in bytes. */
  originalLength = 0;
  /** Capture time: whole seconds since 1970. */
  seconds = 0;
  /** Capture time: nanoseconds of that second. */
  nanoseconds = 0;
  /** Link type (<https://www.tcpdump.org/linktypes.html>). */
  link = 0;
  /** Capture interface, 0 if unknown. */
  interface = 0;
}

/** A capture that cannot be read any further. */
export class CaptureError extends Error {
  /** Byte offset of the damage, if known. */
  readonly offset: number | undefined;

  /** Appends the offset to the message. */
  constructor(message: string, offset?: number) {
    super(offset === undefined ? message : `${message} (at byte ${offset})`);
    this.name = "CaptureError";
    this.offset = offset;
  }
}
