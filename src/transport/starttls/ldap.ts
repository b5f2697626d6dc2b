/**
 * LDAP: the StartTLS operation (RFC 4511, section 4.14).
 *
 * @module
 */
import { type Exchange, foreign, notOffered, rejected } from "./exchange.ts";

const OID = "1.3.6.1.4.1.1466.20037";

/** BER tags: a sequence, an integer, an extended request's name, and the two operations. */
const TAG = { sequence: 0x30, integer: 0x02, name: 0x80, request: 0x77, response: 0x78 } as const;

const SUCCESS = 0;
const PROTOCOL_ERROR = 2;

/** Asks an LDAP server for TLS, as the client's message 1. */
export async function ldap(exchange: Exchange): Promise<void> {
  const name = element(TAG.name, new TextEncoder().encode(OID));
  const message = [...element(TAG.integer, [1]), ...element(TAG.request, name)];
  exchange.awaits("no answer to the StartTLS operation");
  await exchange.send(Uint8Array.from(element(TAG.sequence, message)));
  const { code, text } = readResponse(await readMessage(exchange));
  if (code === SUCCESS) return;
  const said = `result ${code}${text === "" ? "" : `, ${text}`}`;
  throw code === PROTOCOL_ERROR ? notOffered(said) : rejected("StartTLS", said);
}

function element(tag: number, content: Iterable<number>): number[] {
  const bytes = [...content];
  return [tag, bytes.length, ...bytes];
}

/** Reads a message: the content of a sequence. */
async function readMessage(exchange: Exchange): Promise<Uint8Array> {
  const head = await exchange.bytes(2);
  const [tag, length = 0] = head;
  if (tag !== TAG.sequence) {
    throw foreign("LDAP", String.fromCharCode(...head) + exchange.pending);
  }
  const LONG = 0x80;
  if (length < LONG) return await exchange.bytes(length);
  const size = await exchange.bytes(Math.min(length - LONG, 4));
  return await exchange.bytes(numberOf(size));
}

/** The result of an extended response; no answer but one to message 1 is due. */
function readResponse(message: Uint8Array): { readonly code: number; readonly text: string } {
  const [number, operation] = elementsOf(message);
  if (!number || number.tag !== TAG.integer || operation?.tag !== TAG.response) {
    throw foreign("LDAP", String.fromCharCode(...message));
  }
  const [code, , text] = elementsOf(operation.content);
  return {
    code: numberOf(code?.content ?? Uint8Array.of(255)),
    text: String.fromCharCode(...text?.content ?? []),
  };
}

/** The elements in a row; those that are cut short are left out. */
function elementsOf(bytes: Uint8Array): { readonly tag: number; readonly content: Uint8Array }[] {
  const elements: { tag: number; content: Uint8Array }[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = bytes[at + 1]!;
    const sizes = short < 0x80 ? 0 : short - 0x80;
    const start = at + 2 + sizes;
    const end = start + (sizes === 0 ? short : numberOf(bytes.subarray(at + 2, start)));
    if (end > bytes.length) break;
    elements.push({ tag: bytes[at]!, content: bytes.subarray(start, end) });
    at = end;
  }
  return elements;
}

function numberOf(bytes: Uint8Array): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}
