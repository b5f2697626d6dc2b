import { type Service, service } from "./service.ts";

/** Sends date and time as a line of text, then closes (RFC 867, which does not define the format). */
export const daytime: Service = service({
  name: "daytime",
  summary: "send date and time as a line of text, then close (RFC 867)",
  options: {},
  open: () => (connection) =>
    connection.write(new TextEncoder().encode(`${new Date().toUTCString()}\r\n`)),
});
