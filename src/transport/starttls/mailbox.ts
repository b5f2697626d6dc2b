/**
 * IMAP (RFC 9051, section 6.2.1) and POP3 (RFC 2595, section 4).
 *
 * @module
 */
import { type Exchange, foreign, notOffered, rejected } from "./exchange.ts";

/**
 * Asks an IMAP server for TLS. Returns its greeting, without the capabilities, which change with
 * TLS.
 */
export async function imap(exchange: Exchange): Promise<string> {
  exchange.awaits("no IMAP greeting");
  const greeting = await exchange.line();
  const [, state] = /^\* (OK|PREAUTH|BYE)\b/i.exec(greeting) ?? [];
  if (state === undefined) throw foreign("IMAP", greeting);
  if (state.toUpperCase() !== "OK") throw rejected("the connection", greeting);
  exchange.awaits("no answer to CAPABILITY");
  const capabilities = await command(exchange, { tag: "a1", name: "CAPABILITY" });
  if (!/^\* CAPABILITY .*\bSTARTTLS\b/im.test(capabilities)) throw notOffered(capabilities);
  exchange.awaits("no answer to STARTTLS");
  await command(exchange, { tag: "a2", name: "STARTTLS" });
  return `${greeting.replace(/\[CAPABILITY [^\]]*\] ?/i, "")}\r\n`;
}

/** Runs a command. Returns the lines before its tagged answer. */
async function command(
  exchange: Exchange,
  { tag, name }: { readonly tag: string; readonly name: string },
): Promise<string> {
  await exchange.send(`${tag} ${name}\r\n`);
  for (const lines: string[] = [];;) {
    const line = await exchange.line();
    if (new RegExp(`^${tag} OK\\b`, "i").test(line)) return lines.join("\n");
    if (!/^\* (?!BYE\b)/i.test(line)) throw rejected(name, line);
    lines.push(line);
  }
}

/** Asks a POP3 server for TLS. Returns its greeting. */
export async function pop3(exchange: Exchange): Promise<string> {
  exchange.awaits("no POP3 greeting");
  const greeting = await exchange.line();
  if (greeting.startsWith("-ERR")) throw rejected("the connection", greeting);
  if (!greeting.startsWith("+OK")) throw foreign("POP3", greeting);
  exchange.awaits("no answer to STLS");
  await exchange.send("STLS\r\n");
  const answer = await exchange.line();
  // A server may have TLS without CAPA, so this is how it says that it has none.
  if (answer.startsWith("-ERR")) throw notOffered(answer);
  if (!answer.startsWith("+OK")) throw foreign("POP3", answer);
  return `${greeting}\r\n`;
}
