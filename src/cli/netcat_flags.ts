/**
 * What to use instead of netcat's flags.
 *
 * @module
 */
import type { ModeName } from "./modes.ts";

const EXEC = "exec://:PORT -- PROGRAM ARGS… runs a program for every client";
const KEEP =
  "every service serves clients until it is stopped; only stdio://:PORT needs ?keep for it";
const LISTEN = "a server listens anyway; stdio://:PORT does what nc -l PORT does";
const BROKER = "broker://:PORT sends each client's bytes to all others";
const CLIENT_EXEC = "HOST PORT -- PROGRAM ARGS… joins the connection to a program";
const CLIENT_LISTEN =
  "a client does not listen; outlet server stdio://:PORT does what nc -l PORT does";
const CLIENT_KEEP = "a client has one connection; outlet server stdio://:PORT?keep serves " +
  "clients one after another. To accept any certificate, as curl -k: --tls-insecure";

/** By mode and flag. Looked up only where the mode does not have the flag itself. */
const REPLACEMENTS: Readonly<Record<ModeName, Readonly<Record<string, string>>>> = {
  server: {
    "-4": "--host 0.0.0.0 listens on all IPv4 addresses",
    "-6": "--host :: listens on all addresses, IPv6 and IPv4",
    "--broker": BROKER,
    "-c": EXEC,
    "--chat": "chat://:PORT is a chat room",
    "-e": EXEC,
    "--exec": EXEC,
    "-i": "--idle-timeout DURATION closes idle connections",
    "-k": KEEP,
    "--keep-open": KEEP,
    "-l": LISTEN,
    "--listen": LISTEN,
    "-m": "--max-connections N limits the number of clients",
    "--max-conns": "--max-connections N limits the number of clients",
    "-n": "numeric addresses are never looked up",
    "-q": "stdio://:PORT?quit-delay=DURATION closes after the end of stdin",
    "--recv-only": "stdio://:PORT?recv-only only receives",
    "-s": "--host ADDRESS sets the address to listen on",
    "--send-only": "stdio://:PORT?send-only only sends",
    "--sh-exec": "exec://:PORT -- sh -c COMMAND runs a shell command for every client",
    "--ssl": "SERVICE://:PORT?tls&tls-cert=FILE&tls-key=FILE serves TLS",
    "-u": "SERVICE+udp://:PORT serves datagrams; stdio+udp://:PORT does what nc -u -l PORT does",
    "-U": "SERVICE+unix:///PATH listens on a Unix socket",
    "-v": "--log-level debug logs more",
    "-w": "--idle-timeout DURATION closes idle connections",
  },
  client: {
    "--broker": `outlet server ${BROKER}`,
    "-c": CLIENT_EXEC,
    "-e": CLIENT_EXEC,
    "--exec": CLIENT_EXEC,
    "-k": CLIENT_KEEP,
    "--keep-open": CLIENT_KEEP,
    "-l": CLIENT_LISTEN,
    "--listen": CLIENT_LISTEN,
    "-n": "numeric addresses are never looked up",
    "-N": "this is the default (--eof half-close)",
    "-p": "--source :PORT sets the local port; the port to connect to follows the host: HOST PORT",
    "--sh-exec": "HOST PORT -- sh -c COMMAND joins the connection to a shell command",
    "--ssl": "tls://HOST:PORT uses TLS",
    "-U": "unix:PATH connects to a Unix socket",
    "-X": "--proxy socks5://HOST:PORT, or another scheme, connects through a proxy",
  },
  trace: {
    "-n": "addresses are never looked up",
    "-v": "ladders show everything; --json writes it for programs",
    "-w": "capture with tcpdump -w FILE, then use --read FILE",
  },
};

/** What to use instead of a netcat flag; `undefined` where there is nothing. */
export function replacementFor(flag: string, mode: ModeName): string | undefined {
  return Object.hasOwn(REPLACEMENTS[mode], flag) ? REPLACEMENTS[mode][flag] : undefined;
}
