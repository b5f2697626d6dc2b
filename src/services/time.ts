import { type Service, service } from "./service.ts";

/** The seconds from 1900-01-01, the protocol's epoch, to 1970-01-01, the Unix epoch. */
const EPOCH = 2_208_988_800;

/** Sends the seconds since 1900-01-01 UTC as 32 bits, big-endian, then closes (RFC 868). */
export const time: Service = service({
  name: "time",
  summary: "send the seconds since 1900 as a 32-bit number, then close (RFC 868)",
  options: {},
  datagram: {
    answers: "more",
    open: () => (session) => ({ receive: () => session.send(secondsNow()) }),
  },
  open: () => (connection) => connection.write(secondsNow()),
});

function secondsNow(): Uint8Array {
  const bytes = new Uint8Array(4);
  // The count wraps around in 2036, as setUint32 does.
  new DataView(bytes.buffer).setUint32(0, Math.floor(Date.now() / 1000) + EPOCH);
  return bytes;
}
