/**
 * PostgreSQL (its protocol's SSLRequest) and MySQL (its protocol's SSLRequest packet).
 *
 * @module
 */
import { type Exchange, foreign, notOffered, rejected } from "./exchange.ts";

/** The SSLRequest message: its length, and the code 80877103. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47);

/** Asks a PostgreSQL server for TLS. The client then begins with its StartupMessage. */
export async function postgres(exchange: Exchange): Promise<void> {
  exchange.awaits("no answer to SSLRequest");
  await exchange.send(SSL_REQUEST);
  const [answer] = await exchange.match(/^[^]/);
  if (answer === "S") return;
  if (answer === "N") throw notOffered(answer);
  // Servers before version 7.2 answer with an error message.
  throw answer === "E"
    ? rejected("SSLRequest", answer + exchange.pending)
    : foreign("PostgreSQL", answer + exchange.pending);
}

/** The capabilities of a MySQL client and server. */
const CAPABILITY = {
  longPassword: 1,
  protocol41: 1 << 9,
  ssl: 1 << 11,
  secureConnection: 1 << 15,
  pluginAuth: 1 << 19,
} as const;

/** utf8mb4_general_ci, which all servers of the last fifteen years have. */
const CHARACTER_SET = 45;

const MAX_PACKET = 1 << 24;

/** Asks a MySQL server for TLS: its greeting is the go-ahead, and the request has no answer. */
export async function mysql(exchange: Exchange): Promise<void> {
  exchange.awaits("no MySQL greeting");
  const header = await exchange.bytes(4);
  const length = header[0]! | header[1]! << 8 | header[2]! << 16;
  const [PROTOCOL, ERROR] = [10, 0xff];
  if (header[3] !== 0 || length === 0) {
    throw foreign("MySQL", String.fromCharCode(...header) + exchange.pending);
  }
  const first = (await exchange.bytes(1))[0]!;
  if (first !== PROTOCOL && first !== ERROR) {
    throw foreign("MySQL", String.fromCharCode(...header, first) + exchange.pending);
  }
  const rest = await exchange.bytes(length - 1);
  const text = String.fromCharCode(...rest);
  if (first === ERROR) throw rejected("the connection", text.slice(2).replace(/^#.{5}/, ""));
  // The version, its end, the thread's number, the first part of the salt, and a zero.
  const at = text.indexOf("\0") + 1 + 4 + 8 + 1;
  const capabilities = (rest[at] ?? 0) | (rest[at + 1] ?? 0) << 8;
  if ((capabilities & CAPABILITY.ssl) === 0) throw notOffered(text.slice(0, text.indexOf("\0")));
  // Before the request: it has no answer, so TLS begins with it.
  exchange.end();
  await exchange.send(sslRequest());
}

function sslRequest(): Uint8Array {
  const [HEADER, BODY] = [4, 32];
  const packet = new Uint8Array(HEADER + BODY);
  packet[0] = BODY;
  packet[3] = 1; // its number: the greeting was 0
  const view = new DataView(packet.buffer, HEADER);
  const flags = Object.values(CAPABILITY).reduce((all, flag) => all | flag, 0);
  view.setUint32(0, flags, true);
  view.setUint32(4, MAX_PACKET, true);
  view.setUint8(8, CHARACTER_SET);
  return packet;
}
