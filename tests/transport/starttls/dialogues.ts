/**
 * What servers of each protocol say up to their go-ahead.
 *
 * @module
 */
import type { StartTlsProtocol } from "../../../src/transport/starttls/protocols.ts";
import type { Dialogue } from "../../harness/starttls_server.ts";

const XMPP_STREAM = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' version='1.0' " +
  "xmlns:stream='http://etherx.jabber.org/streams' id='1' from='localhost'>";
const XMPP_TLS = "xmlns='urn:ietf:params:xml:ns:xmpp-tls'";
const XMPP_OPEN = /^<\?xml.*<stream:stream .* to='localhost'>$/s;

/** The greeting of a MySQL server with these capabilities. */
function mysqlGreeting(capabilities: number): Uint8Array {
  const version = new TextEncoder().encode("8.0.36-test\0");
  const fixed = [1, 0, 0, 0, ...Array(8).fill(65), 0, capabilities & 255, capabilities >> 8];
  const rest = [45, 2, 0, 255, 255, 21, ...Array(10).fill(0), ...Array(12).fill(66), 0];
  const body = [10, ...version, ...fixed, ...rest];
  return Uint8Array.of(body.length, 0, 0, 0, ...body);
}

/** A packet of 36 bytes whose number is 1, and nothing after it. */
// deno-lint-ignore no-control-regex
const MYSQL_REQUEST = /^\x20\x00\x00\x01[^]{32}$/;

function ldapResponse(code: number, text: string): Uint8Array {
  const words = new TextEncoder().encode(text);
  const result = [10, 1, code, 4, 0, 4, words.length, ...words];
  // The length in its long form, as OpenLDAP and Active Directory write it.
  return Uint8Array.of(
    ...[0x30, 0x84, 0, 0, 0, result.length + 5, 2, 1, 1, 0x78, result.length],
    ...result,
  );
}

const LDAP_REQUEST = /1\.3\.6\.1\.4\.1\.1466\.20037$/;
// deno-lint-ignore no-control-regex
const POSTGRES_REQUEST = /^\x00\x00\x00\x08\x04\xd2\x16\x2f$/;

/** Servers that let TLS begin. */
export const OFFERED: Readonly<Record<StartTlsProtocol, Dialogue>> = {
  smtp: {
    greeting: "220-mx.test ESMTP\r\n220 no spam\r\n",
    answers: [
      [/^EHLO \[127\.0\.0\.1\]\r\n$/, "250-mx.test\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"],
      [/^STARTTLS\r\n$/, "220 go ahead\r\n"],
    ],
  },
  imap: {
    greeting: "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] ready\r\n",
    answers: [
      [/^a1 CAPABILITY\r\n$/, "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done\r\n"],
      [/^a2 STARTTLS\r\n$/, "a2 OK begin\r\n"],
    ],
  },
  pop3: { greeting: "+OK <1@pop.test>\r\n", answers: [[/^STLS\r\n$/, "+OK begin\r\n"]] },
  ftp: {
    greeting: "220-Welcome\r\n to us\r\n220 ready\r\n",
    answers: [[/^AUTH TLS\r\n$/, "234 begin\r\n"]],
  },
  xmpp: {
    answers: [
      [
        XMPP_OPEN,
        `${XMPP_STREAM}<stream:features><starttls ${XMPP_TLS}><required/></starttls></stream:features>`,
      ],
      [/^<starttls [^>]*xmpp-tls'\/>$/, `<proceed ${XMPP_TLS}/>`],
    ],
  },
  postgres: { answers: [[POSTGRES_REQUEST, "S"]] },
  mysql: { greeting: mysqlGreeting(0xffff), answers: [[MYSQL_REQUEST, ""]] },
  ldap: { answers: [[LDAP_REQUEST, ldapResponse(0, "")]] },
};

/** Servers without TLS, and what is told of them. */
export const NOT_OFFERED: Readonly<Record<StartTlsProtocol, [Dialogue, RegExp]>> = {
  smtp: [
    { greeting: "220 mx\r\n", answers: [[/\n/, "250-mx\r\n250 SIZE\r\n"], [/\n/, ""]] },
    /does not offer STARTTLS: "250-mx 250 SIZE"$/,
  ],
  imap: [
    {
      greeting: "* OK hi\r\n",
      answers: [[/\n/, "* CAPABILITY IMAP4rev1\r\na1 OK\r\n"], [/\n/, ""]],
    },
    /does not offer STARTTLS: "\* CAPABILITY IMAP4rev1"$/,
  ],
  pop3: [
    { greeting: "+OK hi\r\n", answers: [[/\n/, "-ERR what\r\n"], [/\n/, ""]] },
    /does not offer STARTTLS: "-ERR what"$/,
  ],
  ftp: [
    { greeting: "220 hi\r\n", answers: [[/\n/, "502 no\r\n"], [/\n/, ""]] },
    /does not offer STARTTLS: "502 no"$/,
  ],
  xmpp: [
    { answers: [[XMPP_OPEN, `${XMPP_STREAM}<stream:features/>`], [/>/, ""]] },
    /does not offer STARTTLS: ".*<stream:features\/>"$/,
  ],
  postgres: [
    { answers: [[POSTGRES_REQUEST, "N"], [/x/, ""]] },
    /does not offer STARTTLS: "N"$/,
  ],
  mysql: [
    { greeting: mysqlGreeting(0xf7ff), answers: [[/x/, ""]] },
    /does not offer STARTTLS: "8\.0\.36-test"$/,
  ],
  ldap: [
    { answers: [[LDAP_REQUEST, ldapResponse(2, "unsupported extended operation")], [/x/, ""]] },
    /does not offer STARTTLS: "result 2, unsupported extended operation"$/,
  ],
};

/** The same dialogue, with bytes after the go-ahead. */
export function injected({ greeting, answers = [] }: Dialogue, bytes: string): Dialogue {
  const [request, last] = answers.at(-1)!;
  if (last === "") return { greeting: joined(greeting!, bytes), answers: [[/x/, ""]] };
  return {
    ...greeting === undefined ? {} : { greeting },
    answers: [...answers.slice(0, -1), [request, joined(last, bytes)], [/x/, ""]],
  };
}

function joined(words: string | Uint8Array, more: string): Uint8Array {
  const [one, other] = [words, more].map((part) =>
    typeof part === "string" ? new TextEncoder().encode(part) : part
  );
  return Uint8Array.of(...one!, ...other!);
}
