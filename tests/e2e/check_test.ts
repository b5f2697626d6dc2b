/**
 * A config that cannot work ends the program at the start with one line, and with the exit code of
 * its kind.
 */
import { assertEquals } from "@std/assert";
import { outlet, run } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

/** Wrong usage, including files named in it. */
const USAGE = 2;

/** An error of the network or the system. */
const SYSTEM = 1;

const CASES: readonly (readonly [args: string, code: number, line: string])[] = [
  [
    "server echo://:0 --check --tls-cert x",
    USAGE,
    "--tls-cert needs --tls",
  ],
  ["server echo://:0 --log-file", USAGE, "--log-file: expected a file, and nothing follows it"],
  ["server echo://:0 --log-file /none/x", USAGE, "log-file /none/x: no such directory: /none"],
  [
    "server echo://:0 --check --log-file /none/x",
    USAGE,
    "log-file /none/x: no such directory: /none",
  ],
  [
    "server exec://:0?run=/none --check",
    USAGE,
    'exec at 127.0.0.1:0: cannot run "/none": no such program, or no permission to run it',
  ],
  [
    "server proxy://0.0.0.0:1080 --check",
    USAGE,
    '"proxy://0.0.0.0:1080": proxy at 0.0.0.0:1080 would be an open proxy for everybody: give it ' +
    "auth (passwords) or to-allow (what it connects to), or allow (its clients)",
  ],
  [
    "server record://:0?dir=/none",
    USAGE,
    "record at 127.0.0.1:0: dir /none: no such directory",
  ],
  [
    "server --config /none",
    USAGE,
    "cannot read the config file /none: no such file or directory",
  ],
  ["server --config /", USAGE, "cannot read the config file /: it is a directory"],
  ["server --config", USAGE, "--config: expected a file, and nothing follows it"],
  ["client 127.0.0.1 1 --script", USAGE, "--script: expected a file, and nothing follows it"],
  ["client 127.0.0.1 1 -o", USAGE, "-o: expected a file, and nothing follows it"],
  ["trace --read /none", USAGE, "cannot read /none: no such file or directory"],
  ["trace --read /", USAGE, "cannot read /: it is a directory"],
  [
    "server echo://203.0.113.9:7",
    SYSTEM,
    "echo at 203.0.113.9:7: address not available on this machine",
  ],
];

for (const [args, code, line] of CASES) {
  Deno.test(`"outlet ${args}" ends with ${code} and one line`, async () => {
    const outcome = await run(outlet(...args.split(" ")));
    assertEquals([outcome.code, outcome.stdout, outcome.stderr], [code, "", `outlet: ${line}\n`]);
  });
}

testWith(
  ["setpriv"],
  "--check refuses a privileged port to a user who cannot bind it",
  async () => {
    const [program, ...args] = outlet("server", "echo://:80", "--check");
    const drop = ["--bounding-set", "-net_bind_service", "--inh-caps", "-net_bind_service"];
    const outcome = await run(["setpriv", ...drop, program, ...args]);
    const least = Number(await Deno.readTextFile("/proc/sys/net/ipv4/ip_unprivileged_port_start"));
    const expected = least > 80
      ? [
        SYSTEM,
        `outlet: echo at 127.0.0.1:80: port 80 needs root or the capability CAP_NET_BIND_SERVICE, or use one from ${least} up\n`,
      ]
      : [0, ""];
    assertEquals([outcome.code, outcome.stderr], expected);
  },
);
