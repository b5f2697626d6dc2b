/**
 * What to use instead of netcat's flags.
 *
 * @module
 */
import type { ModeName } from "./modes.ts";

/** By mode and flag. Looked up only where the mode does not have the flag itself. */
const REPLACEMENTS: Readonly<Record<ModeName, Readonly<Record<string, string>>>> = {
  server: {
    "-4": "--host 0.0.0.0 listens on all IPv4 addresses",
    "-6": "--host :: listens on all addresses, IPv6 and IPv4",
    "-c": "exec://:PORT -- PROGRAM ARGS… runs a program for every client",
    "-e": "exec://:PORT -- PROGRAM ARGS… runs a program for every client",
    "-k": "stdio://:PORT?keep serves clients one after another",
    "-l": "a server listens anyway; stdio://:PORT does what nc -l PORT does",
    "-n": "numeric addresses are never looked up",
    "-s": "--host ADDRESS sets the address to listen on",
    "-u": "SERVICE+udp://:PORT serves datagrams; stdio+udp://:PORT does what nc -u -l PORT does",
    "-U": "SERVICE+unix:///PATH listens on a Unix socket",
    "-v": "--log-level debug logs more",
    "-w": "--idle-timeout DURATION closes idle connections",
  },
  client: {
    "-c": "outlet server exec://:PORT -- PROGRAM ARGS… runs a program for every client",
    "-e": "outlet server exec://:PORT -- PROGRAM ARGS… runs a program for every client",
    "-k": "outlet server stdio://:PORT?keep serves clients one after another",
    "-l": "a client does not listen; outlet server stdio://:PORT does what nc -l PORT does",
    "-n": "numeric addresses are never looked up",
    "-N": "this is the default (--eof half-close)",
    "-p": "--source :PORT sets the local port; the port to connect to follows the host: HOST PORT",
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
