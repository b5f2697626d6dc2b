import { type Service, service } from "./service.ts";

/** Sends back what is received, until the client closes its half; over UDP, each datagram (RFC 862). */
export const echo: Service = service({
  name: "echo",
  summary: "send back all received data (RFC 862)",
  options: {},
  datagram: {
    answers: "no more than came",
    open: () => (session) => ({ receive: (datagram) => session.send(datagram) }),
  },
  open: () => (connection) => connection.forEachChunk((chunk) => connection.write(chunk)),
});
