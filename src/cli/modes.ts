/**
 * The modes, with their help texts. Their options are loaded with the mode.
 *
 * @module
 */

/** A mode, as help shows it. */
export interface Mode {
  /** One line on what it does. */
  readonly summary: string;
  /** Its synopsis. */
  readonly usage: readonly string[];
  /** Whether help lists the services. */
  readonly offersServices: boolean;
  /** The symbols in its output, with their meanings. */
  readonly legend?: readonly (readonly [sign: string, meaning: string])[];
  /** Example commands, each with what it does. */
  readonly examples: readonly (readonly [call: string, does: string])[];
}

/** A mode's name, the first word on the command line. */
export type ModeName = "server" | "client" | "trace";

/** All modes, by name. */
export const MODES: Readonly<Record<ModeName, Mode>> = {
  server: {
    summary: "open welcome sockets and serve a service on each",
    usage: [
      "outlet server [SERVICE://[HOST]:PORT[?key=value&…] …] [options]",
      "outlet server --service SERVICE --host HOST --port PORT [options]",
    ],
    offersServices: true,
    examples: [
      ["outlet server", "chat room on 127.0.0.1:7000, with the web console"],
      ["outlet server echo://:7007 daytime://:7013", "two outlets in one process"],
      ["outlet server 'chat://0.0.0.0:7000?room=ops'", "named chat room on all IPv4 addresses"],
      ["outlet server exec://:2323 -- bc -q", "a bc process for each client"],
      [
        "outlet server 'forward://:8080?to=10.0.0.1:80,10.0.0.2:80'",
        "TCP proxy with two upstreams",
      ],
      ["outlet server proxy://:1080", "SOCKS and HTTP proxy for programs of this machine"],
      ["outlet server echo+unix:///tmp/echo.sock", "echo on a Unix socket"],
      ["outlet server 'echo://:7443?tls&tls-self-signed'", "echo over TLS"],
      [
        "outlet server 'chat+ws://:8080?text-lines'",
        "chat room for browsers: WebSocket, a message a line",
      ],
      ["outlet server echo+udp://:7007", "echo of UDP datagrams"],
      [
        "outlet server 'forward+udp://:5353?to=192.0.2.53:53'",
        "UDP proxy in front of a DNS server",
      ],
      ["outlet server stdio://:7000 > file", "receive a file from outlet client or nc"],
      ["outlet server --service echo --port 0", "echo on a free port, printed in the log"],
    ],
  },
  client: {
    summary: "connect to a service: send stdin, write what it answers to stdout",
    usage: [
      "outlet client HOST PORT | HOST:PORT | SCHEME://HOST:PORT | unix:PATH [options]",
    ],
    offersServices: false,
    examples: [
      ["outlet client 127.0.0.1 7000", "join the chat room"],
      [
        "outlet client -v example.org 80 < request.txt",
        "send a file, print the answer and the timing",
      ],
      ["outlet client -z 127.0.0.1 7000-7010", "test which ports are open"],
      ["outlet client tls://example.org:443 -v", "use TLS, and print the certificate"],
      ["outlet client wss://example.org/feed", "WebSocket over TLS, a message a line"],
      ["outlet client 127.0.0.1 7007 --bench", "load test of an echo service"],
      ["outlet client -u 127.0.0.1 7007", "send each line as a UDP datagram, print the answers"],
      ["outlet client -u -z 192.0.2.1 53,123", "what UDP can tell of two ports"],
    ],
  },
  trace: {
    summary: "show TCP handshakes: live or from a capture; list the kernel's sockets",
    usage: [
      "outlet trace [--interface NAME] [--host HOST] [--port PORT…] [options]",
      "outlet trace --read FILE|- [--host HOST] [--port PORT…] [options]",
      "outlet trace --sockets [PORT]",
    ],
    offersServices: false,
    examples: [
      ["outlet trace --port 7000", "handshakes with port 7000, live"],
      ["outlet trace --read web.pcap --summary", "statistics of all connections in a capture"],
      ["ssh host tcpdump -w - | outlet trace --read -", "live handshakes of another machine"],
      ["outlet trace --sockets 7000", "accept queue and connections of port 7000"],
    ],
    legend: [
      ["j, k", "initial sequence numbers of client and server"],
      ["mss", "maximum segment size that the sender of the SYN receives"],
      ["ws", "window scale of the sender, in bits"],
      ["?", "state unknown: no captured segment shows it"],
      ["↻", "retransmission: all of its data was captured before"],
      ["⋮", "segments not shown, and their bytes"],
      ["out of order:", "later bytes were captured just before it"],
      ["fills a gap:", "out of order, or the retransmission of a segment that was not captured"],
      ["stray:", "belongs to another connection between the same ports"],
      ["another:", "a second SYN+ACK for this SYN; its k is not the one acknowledged"],
      ["ignored:", "cannot have been accepted by the other end"],
      ["late:", "captured after the end of the connection"],
    ],
  },
};

/** Whether the word is the name of a mode. */
export function isMode(word: string): word is ModeName {
  return Object.hasOwn(MODES, word);
}
