/**
 * XMPP, the stream of a client (RFC 6120, section 5).
 *
 * @module
 */
import { type Exchange, foreign, notOffered, rejected } from "./exchange.ts";

const NAMESPACE = "urn:ietf:params:xml:ns:xmpp-tls";

/** The end of the features, of an error, or of the stream. */
const FEATURES =
  /<(?:\w+:)?features\s*\/>|<\/(?:\w+:)?features\s*>|<\/(?:\w+:)?error\s*>|<\/(?:\w+:)?stream\s*>/;

/** The answer, to its last character: not even a space may follow. */
const ANSWER = /<(proceed|failure)\b[^>]*?(?:\/>|>[^]*?<\/\1\s*>)|<\/(?:\w+:)?stream\s*>/;

/** Asks an XMPP server for TLS. The client then begins a stream of its own. */
export async function xmpp(exchange: Exchange): Promise<void> {
  exchange.awaits("no XMPP stream");
  await exchange.send(
    `<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' ` +
      `xmlns:stream='http://etherx.jabber.org/streams' to='${exchange.serverName}'>`,
  );
  const [opening] = await exchange.match(/^\s*(?:<[?!]?[\w:]|[^\s<]|<[^?!\w])/);
  if (!/^\s*<[?\w]/.test(opening)) throw foreign("XMPP", opening + exchange.pending);
  const { input, index, 0: end } = await exchange.match(FEATURES);
  const features = input.slice(0, index + end.length);
  if (!end.includes("features")) throw rejected("the stream", features);
  if (!new RegExp(`<starttls\\s[^>]*${NAMESPACE}`).test(features)) throw notOffered(features);
  exchange.awaits("no answer to <starttls/>");
  await exchange.send(`<starttls xmlns='${NAMESPACE}'/>`);
  const answer = await exchange.match(ANSWER);
  if (answer[1] !== "proceed") throw rejected("<starttls/>", answer[0]);
}
