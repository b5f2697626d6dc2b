import { type Service, service } from "./service.ts";

/** Sends date and time as a line of text, then closes (RFC 867, which does not define the format). */
export const daytime: Service = service({
  name: "daytime",
  summary: "send date and time as a line of text, then close (RFC 867)",
  options: {},
  datagram: {
    answers: "more",
    open: () => (session) => ({ receive: () => session.send(dateLine()) }),
  },
  open: () => (connection) => connection.write(dateLine()),
});

function dateLine(): Uint8Array {
  return new TextEncoder().encode(`${new Date().toUTCString()}\r\n`);
}
