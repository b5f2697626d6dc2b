import { type Service, service } from "./service.ts";

/** Sends the date and time as one line of text, then closes (RFC 867, which leaves the format free). */
export const daytime: Service = service({
  name: "daytime",
  summary: "send date and time as a line of text, then close (RFC 867)",
  options: {},
  open: () => (connection) =>
    connection.write(new TextEncoder().encode(`${new Date().toUTCString()}\r\n`)),
});
