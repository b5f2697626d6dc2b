/**
 * SMTP (RFC 3207) and FTP (RFC 4217), which have the same kind of replies.
 *
 * @module
 */
import { withoutZone } from "../../endpoint/address.ts";
import { type Exchange, foreign, notOffered, rejected } from "./exchange.ts";

/** A reply: its code, and all lines. */
interface Reply {
  readonly code: string;
  readonly lines: readonly string[];
}

/** Asks an SMTP server for TLS. Returns its greeting. */
export async function smtp(exchange: Exchange): Promise<string> {
  exchange.awaits("no SMTP greeting");
  const greeting = await readReply(exchange, "SMTP");
  if (greeting.code !== "220") throw rejected("the connection", textOf(greeting));
  exchange.awaits("no answer to EHLO");
  await exchange.send(`EHLO ${helloName(exchange.localAddr)}\r\n`);
  const hello = await readReply(exchange, "SMTP");
  if (hello.code !== "250") throw rejected("EHLO", textOf(hello));
  if (!hello.lines.some((line) => /^250[ -]STARTTLS *$/i.test(line))) {
    throw notOffered(textOf(hello));
  }
  exchange.awaits("no answer to STARTTLS");
  await exchange.send("STARTTLS\r\n");
  const answer = await readReply(exchange, "SMTP");
  if (answer.code !== "220") throw rejected("STARTTLS", textOf(answer));
  return linesOf(greeting);
}

/** Asks an FTP server for TLS. Returns its greeting. */
export async function ftp(exchange: Exchange): Promise<string> {
  exchange.awaits("no FTP greeting");
  const greeting = await readReply(exchange, "FTP");
  if (greeting.code !== "220") throw rejected("the connection", textOf(greeting));
  exchange.awaits("no answer to AUTH TLS");
  await exchange.send("AUTH TLS\r\n");
  const answer = await readReply(exchange, "FTP");
  // 500, 502 and 504: it does not know the command, or not this kind of security.
  if (/^50[024]$/.test(answer.code)) throw notOffered(textOf(answer));
  if (answer.code !== "234") throw rejected("AUTH TLS", textOf(answer));
  return linesOf(greeting);
}

/** Reads a reply: the code and a space begin its last line (RFC 959, section 4.2). */
async function readReply(exchange: Exchange, protocol: string): Promise<Reply> {
  const lines = [await exchange.line()];
  const [, code, dash] = /^(\d{3})(-)?(?: |$)?/.exec(lines[0]!) ?? [];
  if (code === undefined) throw foreign(protocol, lines[0]!);
  if (dash === undefined) return { code, lines };
  const last = new RegExp(`^${code}(?: |$)`);
  do lines.push(await exchange.line()); while (!last.test(lines.at(-1)!));
  return { code, lines };
}

/** The address that EHLO names where there is no host name (RFC 5321, section 4.1.3). */
function helloName(end: Deno.Addr): string {
  if (end.transport !== "tcp") return "localhost";
  return end.hostname.includes(":") ? `[IPv6:${withoutZone(end.hostname)}]` : `[${end.hostname}]`;
}

function textOf({ lines }: Reply): string {
  return lines.join(" ");
}

function linesOf({ lines }: Reply): string {
  return lines.map((line) => `${line}\r\n`).join("");
}
