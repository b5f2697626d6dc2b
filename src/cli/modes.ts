/**
 * The modes of the executable: what each is for, and how it is called. Their options are loaded with them.
 *
 * @module
 */

/** One mode, as help tells of it. */
export interface Mode {
  /** One line. */
  readonly summary: string;
  /** How it is called. */
  readonly usage: readonly string[];
  /** Whether it offers the services, so that help lists them. */
  readonly offersServices: boolean;
  /** The signs in what it shows, each with its meaning. */
  readonly legend?: readonly (readonly [sign: string, meaning: string])[];
  /** Calls that people make, each with what it does. */
  readonly examples: readonly (readonly [call: string, does: string])[];
}

/** A mode's name, the first word on the command line. */
export type ModeName = "server" | "client" | "trace";

/** Every mode by its name. */
export const MODES: Readonly<Record<ModeName, Mode>> = {
  server: {
    summary: "open welcome sockets and serve a service on each",
    usage: [
      "outlet server [SERVICE://[HOST]:PORT[?key=value&…] …] [options]",
      "outlet server --service SERVICE --host HOST --port PORT [options]",
    ],
    offersServices: true,
    examples: [
      ["outlet server", "a chat room on 127.0.0.1:7000"],
      ["outlet server echo://:7007 daytime://:7013", "two outlets in one process"],
      ["outlet server 'chat://0.0.0.0:7000?room=ops'", "a room that other machines reach"],
      ["outlet server exec://:2323 -- bc -q", "a calculator for every client"],
      ["outlet server 'forward://:8080?to=10.0.0.1:80,10.0.0.2:80'", "whichever of two is up"],
      ["outlet server echo+unix:///tmp/echo.sock", "an echo on a Unix socket"],
      ["outlet server 'echo://:7443?tls&tls-self-signed'", "an echo behind TLS"],
      ["outlet server stdio://:7000 > file", "takes a file from outlet client or nc"],
      ["outlet server --service echo --port 0", "an echo on a free port, which the log tells"],
    ],
  },
  client: {
    summary: "plug into a service: stdin goes to it, what it answers to stdout",
    usage: ["outlet client HOST PORT | HOST:PORT | tls://HOST:PORT | unix:PATH [options]"],
    offersServices: false,
    examples: [
      ["outlet client 127.0.0.1 7000", "join the chat room"],
      ["outlet client -v example.org 80 < request.txt", "send a file, show the answer"],
      ["outlet client -z 127.0.0.1 7000-7010", "which of these ports are open?"],
      ["outlet client tls://example.org:443 -v", "speak TLS, and show the certificate"],
      ["outlet client 127.0.0.1 7007 --bench", "how much does an echo bear?"],
    ],
  },
  trace: {
    summary: "show TCP handshakes: live, from a capture, or the kernel's own sockets",
    usage: [
      "outlet trace [--interface NAME] [--host HOST] [--port PORT…] [options]",
      "outlet trace --read FILE|- [--host HOST] [--port PORT…] [options]",
      "outlet trace --sockets [PORT]",
    ],
    offersServices: false,
    examples: [
      ["outlet trace --port 7000", "every handshake with port 7000 of this machine"],
      ["outlet trace --read web.pcap --summary", "how the attempts in a capture went"],
      ["ssh host tcpdump -w - | outlet trace --read -", "the same from anywhere"],
      ["outlet trace --sockets 7000", "accept queue, half-open and lingering sockets"],
    ],
    legend: [
      ["j, k", "initial sequence numbers of the client and of the server"],
      ["mss", "maximum segment size: the longest one that the sender of the SYN takes"],
      ["ws", "window scale: by how many bits the sender's windows are shifted"],
      ["?", "a state that nothing on the wire has shown"],
      ["↻", "all of it was seen before: sent again"],
      ["⋮", "segments that are left out, and their bytes"],
      ["overtaken:", "bytes that follow it were captured first, a moment before"],
      ["fills a gap:", "the same, longer before: overtaken, or lost before this capture"],
      ["stray:", "it belongs to another connection of these ports"],
      ["another:", "a SYN+ACK for this SYN with a k that does not count"],
      ["ignored:", "the other end cannot have accepted it"],
      ["late:", "it came after the end of the connection"],
    ],
  },
};

/** Whether the word names a mode. */
export function isMode(word: string): word is ModeName {
  return Object.hasOwn(MODES, word);
}
