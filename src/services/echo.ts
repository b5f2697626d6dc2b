import { type Service, service } from "./service.ts";

/** Sends back what is received, until the client closes its half (RFC 862). */
export const echo: Service = service({
  name: "echo",
  summary: "send back all received data (RFC 862)",
  options: {},
  open: () => (connection) => connection.forEachChunk((chunk) => connection.write(chunk)),
});
