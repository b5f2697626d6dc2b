/**
 * Flags that people know from netcat, and what says the same here.
 *
 * @module
 */
import type { ModeName } from "./modes.ts";

const NO_UDP = "UDP is not offered: sockets here are TCP and Unix";

/** By mode and by flag; only flags that the mode does not have itself are looked for. */
const INSTEAD: Readonly<Record<ModeName, Readonly<Record<string, string>>>> = {
  server: {
    "-4": "--host 0.0.0.0 listens at all IPv4 addresses",
    "-6": "--host :: listens at all addresses, IPv6 and IPv4",
    "-c": "exec://:PORT -- PROGRAM ARGS… runs a program for every client",
    "-e": "exec://:PORT -- PROGRAM ARGS… runs a program for every client",
    "-k": "stdio://:PORT?keep serves one client after the other",
    "-l": "a server listens anyway; stdio://:PORT does what nc -l PORT does",
    "-n": "a host that is an address is never looked up",
    "-s": "--host ADDRESS says where to listen",
    "-u": NO_UDP,
    "-U": "SERVICE+unix:///PATH listens at a Unix socket",
    "-v": "--log-level debug tells more",
    "-w": "--idle-timeout DURATION closes silent connections",
  },
  client: {
    "-4": "name an IPv4 address instead of the host",
    "-6": "name an IPv6 address instead of the host",
    "-c": "outlet server exec://:PORT -- PROGRAM ARGS… runs a program for every client",
    "-e": "outlet server exec://:PORT -- PROGRAM ARGS… runs a program for every client",
    "-k": "outlet server stdio://:PORT?keep serves one client after the other",
    "-l": "a client does not listen; outlet server stdio://:PORT does what nc -l PORT does",
    "-n": "a host that is an address is never looked up",
    "-N": "that is what is done anyway (--eof half-close)",
    "-p": "the port to connect to stands behind the host: HOST PORT; the system picks our own",
    "-s": "the system picks our own address",
    "-u": NO_UDP,
    "-U": "unix:PATH connects to a Unix socket",
    "-X": "--proxy socks5://HOST:PORT, or another scheme, connects through a proxy",
  },
  trace: {
    "-n": "addresses are never looked up",
    "-v": "ladders tell all there is; --json tells it to programs",
    "-w": "capture with tcpdump -w FILE, and read that: --read FILE",
  },
};

/** What says the same as a netcat flag, in words; `undefined` where nobody knows. */
export function insteadOf(flag: string, mode: ModeName): string | undefined {
  return Object.hasOwn(INSTEAD[mode], flag) ? INSTEAD[mode][flag] : undefined;
}
