/**
 * SOCKS 5 (RFC 1928) for servers, with user names and passwords (RFC 1929).
 *
 * @module
 */
import type { ClientReader } from "./client_reader.ts";
import { readHost, readPort, socks5Bytes } from "./socks_address.ts";
import { Refusal, type RefusalKind } from "./refusal.ts";
import type { Authenticator, ProxyProtocol, ProxyRequest } from "./request.ts";

const VERSION = 5;
const PASSWORD_VERSION = 1;
const METHOD = { none: 0, password: 2, unacceptable: 0xff } as const;

const COMMANDS: Readonly<Record<number, ProxyRequest["command"]>> = {
  1: "connect",
  2: "bind",
  3: "associate",
};

/** The reply codes (RFC 1928, section 6). */
const REPLIES: Readonly<Record<RefusalKind, number>> = {
  "malformed": 1,
  "password needed": 1,
  "busy": 1,
  "failed": 1,
  "not allowed": 2,
  "network unreachable": 3,
  "unknown name": 4,
  "host unreachable": 4,
  "timed out": 4,
  "connection refused": 5,
  "not supported": 7,
  "address not supported": 8,
};

const decoder = new TextDecoder();

/** SOCKS 5 with one client, whose first byte was read. */
export function socks5(authenticator: Authenticator | undefined): ProxyProtocol {
  return {
    async readRequest(reader) {
      await agree(reader, authenticator);
      const [version, code] = await reader.bytes(3);
      if (version !== VERSION) throw new Refusal("malformed", "the request is not of SOCKS 5");
      const hostname = await readHost(reader);
      const target = { hostname, port: await readPort(reader) };
      const command = COMMANDS[code!];
      if (!command) throw new Refusal("not supported", `command ${code} of SOCKS 5`);
      return { command, name: `socks5 ${command}`, target };
    },
    granted: (_, address) => Uint8Array.of(VERSION, 0, 0, ...socks5Bytes(address)),
    refused: ({ kind }) =>
      Uint8Array.of(VERSION, REPLIES[kind], 0, ...socks5Bytes({ hostname: "0.0.0.0", port: 0 })),
  };
}

/** Agrees on a method, and checks the password if there is one. */
async function agree(
  reader: ClientReader,
  authenticator: Authenticator | undefined,
): Promise<void> {
  const methods = await reader.bytes(await reader.byte());
  const method = authenticator ? METHOD.password : METHOD.none;
  if (!methods.includes(method)) {
    const answer = Uint8Array.of(VERSION, METHOD.unacceptable);
    throw authenticator
      ? new Refusal("password needed", "no password was offered", { answer })
      : new Refusal("malformed", "no method that needs no password was offered", { answer });
  }
  await reader.answer(VERSION, method);
  if (authenticator) await authenticate(reader, authenticator);
}

async function authenticate(reader: ClientReader, authenticator: Authenticator): Promise<void> {
  const failure = Uint8Array.of(PASSWORD_VERSION, 1);
  if (await reader.byte() !== PASSWORD_VERSION) {
    throw new Refusal("malformed", "not a password as in RFC 1929", { answer: failure });
  }
  const user = decoder.decode(await reader.bytes(await reader.byte()));
  const password = decoder.decode(await reader.bytes(await reader.byte()));
  try {
    await reader.pause(() => authenticator.check(user, password));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(error.kind, error.message, { answer: failure, cause: error });
  }
  await reader.answer(PASSWORD_VERSION, 0);
}
