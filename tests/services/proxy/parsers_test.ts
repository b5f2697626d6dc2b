/** The parsers of the proxy with random input, which is cut anywhere. */
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes/concat";
import type { RelayFilter } from "../../../src/connection/relay.ts";
import { bodyFilter } from "../../../src/services/proxy/http_body.ts";
import { ResponseFilter } from "../../../src/services/proxy/http_response.ts";
import { readUdpMessage } from "../../../src/services/proxy/udp_message.ts";
import { HeadReader } from "../../../src/transport/http_head.ts";
import { bytesOf, noise } from "../../harness/bytes.ts";

const ROUNDS = 2_000;

/** Random numbers below a limit, the same in each run. */
function random(): (limit: number) => number {
  const bytes = noise(ROUNDS * 400, 7);
  let at = 0;
  return (limit) => {
    at = (at + 4) % (bytes.length - 4);
    return new DataView(bytes.buffer).getUint32(at) % limit;
  };
}

/** Some bytes changed, removed or added. */
function mutated(bytes: Uint8Array, pick: (limit: number) => number): Uint8Array {
  const list = [...bytes];
  for (let times = pick(4); times > 0; times--) {
    const at = pick(list.length + 1);
    list.splice(at, pick(2), ...pick(2) === 0 ? [pick(256)] : []);
  }
  return Uint8Array.from(list);
}

/** What a filter passes on of these pieces, or the error. */
function passed(filter: RelayFilter, pieces: readonly Uint8Array[]): string {
  const parts: Uint8Array[] = [];
  try {
    for (const piece of pieces) parts.push(filter.pass(piece).slice());
    parts.push(filter.end());
  } catch (error) {
    return `error: ${(error as Error).message}`;
  }
  return new TextDecoder("latin1").decode(concat(parts));
}

/** The same bytes in random pieces. */
function cut(bytes: Uint8Array, pick: (limit: number) => number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + pick(9);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}

Deno.test("a body in chunks ends at the same byte, and fails in the same way, however it is cut", () => {
  const pick = random();
  const { head } = new HeadReader("request").push(
    bytesOf("POST http://h/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"),
  )!;
  const body = bytesOf(
    "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: x\r\n\r\nGET / HTTP/1.1\r\n\r\n",
  );
  let errors = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = mutated(body, pick);
    const whole = passed(bodyFilter(head), [bytes]);
    assertEquals(passed(bodyFilter(head), cut(bytes, pick)), whole);
    if (whole.startsWith("error: ")) errors++;
    else assert(new TextDecoder("latin1").decode(bytes).startsWith(whole));
  }
  assert(errors > 100 && errors < ROUNDS - 100, String(errors));
});

Deno.test("a response is rewritten in the same way however it is cut, or becomes one 502", () => {
  const pick = random();
  const response = bytesOf(
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\nConnection: x\r\nX: y\r\n\r\nbody",
  );
  const asked = { method: "GET", version: "HTTP/1.1", target: "h:80" };
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = mutated(response, pick);
    const whole = passed(new ResponseFilter(asked), [bytes]);
    assertEquals(
      passed(new ResponseFilter(asked), cut(bytes, pick)).split("\r\n\r\n").at(-1),
      whole.split("\r\n\r\n").at(-1),
    );
    assert(whole.split("502 Bad Gateway").length <= 2, whole);
  }
});

Deno.test("no datagram makes the parser of UDP messages fail", () => {
  const pick = random();
  const message = Uint8Array.of(0, 0, 0, 3, 9, ...bytesOf("localhost"), 0, 53, 1, 2, 3);
  let messages = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = round % 2 === 0 ? mutated(message, pick) : noise(pick(30), round + 1);
    const read = readUdpMessage(bytes);
    if (typeof read !== "string") messages++;
  }
  assert(messages > 100, String(messages));
});
