/**
 * A network namespace with its own `/etc` and a name server in Python, which answers for some
 * names, is slow for others, and does not answer the rest.
 *
 * @module
 */
import { Program, run } from "./program.ts";

/**
 * Answers `quick*` with 127.0.0.1, `absent*` with NXDOMAIN, `slow*` after 400 ms; does not answer
 * other names.
 */
const SERVER = `
import socket, struct, threading, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 53))
print("ready", flush=True)
def answer(q, who, name, kind):
    found = kind == 1 and not name.startswith("absent")
    flags = 0x8180 if not name.startswith("absent") else 0x8183
    head = q[:2] + struct.pack(">HHHHH", flags, 1, 1 if found else 0, 0, 0)
    record = b"\\xc0\\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + bytes([127, 0, 0, 1])
    end = 12
    while q[end]: end += q[end] + 1
    s.sendto(head + q[12:end + 5] + (record if found else b""), who)
while True:
    q, who = s.recvfrom(512)
    at, labels = 12, []
    while q[at]:
        labels.append(q[at + 1:at + 1 + q[at]].decode()); at += q[at] + 1
    name, kind = ".".join(labels), q[at + 2]
    print("asked", name, flush=True)
    if name.startswith(("quick", "absent")): answer(q, who, name, kind)
    elif name.startswith("slow"): threading.Timer(0.4, answer, (q, who, name, kind)).start()
`;

/** A machine with a resolver configuration of its own, removed when it is disposed. */
export class NameServerMachine implements AsyncDisposable {
  readonly #name: string;
  #server: Program | undefined;

  private constructor(name: string) {
    this.#name = name;
  }

  /**
   * Creates it; `hosts` are lines of its `/etc/hosts`, `preferences` those of its `/etc/gai.conf`.
   */
  static async make(
    { hosts = [], preferences = [] }: { hosts?: string[]; preferences?: string[] } = {},
  ): Promise<NameServerMachine> {
    const machine = new NameServerMachine(`otn-${crypto.randomUUID().slice(0, 8)}`);
    const folder = machine.#folder;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeTextFile(`${folder}/resolv.conf`, "nameserver 127.0.0.1\n");
    await Deno.writeTextFile(`${folder}/hosts`, ["127.0.0.1 localhost", ...hosts, ""].join("\n"));
    if (preferences.length > 0) {
      await Deno.writeTextFile(`${folder}/gai.conf`, [...preferences, ""].join("\n"));
    }
    await command("ip", "netns", "add", machine.#name);
    await command("ip", "-n", machine.#name, "link", "set", "lo", "up");
    return machine;
  }

  /** Starts its name server. */
  async serveNames(): Promise<Program> {
    this.#server = new Program(this.on("python3", "-c", SERVER));
    await this.#server.prints(/ready/);
    return this.#server;
  }

  /** A command line that runs a program on it. */
  on(...args: string[]): [string, ...string[]] {
    return ["ip", "netns", "exec", this.#name, ...args];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    await command("ip", "netns", "del", this.#name);
    await Deno.remove(this.#folder, { recursive: true });
  }

  get #folder(): string {
    return `/etc/netns/${this.#name}`;
  }
}

async function command(...args: [string, ...string[]]): Promise<void> {
  const { code, stderr } = await run(args);
  if (code !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
}
