import { type Service, service } from "./service.ts";

/** Reads everything and sends nothing (RFC 863). */
export const discard: Service = service({
  name: "discard",
  summary: "read and discard all data (RFC 863)",
  options: {},
  datagram: { answers: "none", open: () => () => ({ receive: () => {} }) },
  open: () => async (connection) => {
    while (await connection.read() !== null);
  },
});
