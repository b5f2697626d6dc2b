import { type Service, service } from "./service.ts";

/** Each is shorter than 512 characters, as RFC 865 requires. */
const QUOTES = [
  "A server needs at least two sockets: one to say welcome, and one for every guest.",
  "An address says which house; a port says which outlet in the wall.",
  "SYN: may I? SYN+ACK: please do, may I too? ACK: of course. Everything else is conversation.",
  "A half-closed connection is a guest who has said everything, and still listens.",
  "Whoever does not read will one day stop the one who writes. That is called backpressure.",
  "A timeout is a question that was asked too late of somebody who had left.",
  "Reset: the shortest goodbye, and the least polite.",
  "The queue in front of a closed door is still a queue. Somebody has to open.",
  "Nagle waits so that the network need not carry crumbs.",
  "TIME_WAIT is the kernel's good manners: stay a while, in case somebody is still talking.",
  "The network is reliable between the retransmissions.",
  "Every long conversation is a row of short writes that were all read.",
];

/** Sends a quote, then closes (RFC 865). */
export const qotd: Service = service({
  name: "qotd",
  summary: "send a quote, then close (RFC 865)",
  options: {},
  datagram: {
    answers: "more",
    open: () => (session) => ({ receive: () => session.send(quoteLine()) }),
  },
  open: () => (connection) => connection.write(quoteLine()),
});

function quoteLine(): Uint8Array {
  const quote = QUOTES[Math.floor(Math.random() * QUOTES.length)];
  return new TextEncoder().encode(`${quote}\r\n`);
}
