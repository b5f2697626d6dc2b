/**
 * Exit codes: 2 for wrong usage, including files named in it; 1 for errors of network and system.
 */
import { assert, assertEquals } from "@std/assert";
import { CLIENT_OPTIONS } from "../../src/config/client_config.ts";
import { TRACE_OPTIONS } from "../../src/config/trace_config.ts";
import { SERVER_FLAGS } from "../../src/cli/server_args.ts";
import type { OptionTable } from "../../src/options/option.ts";
import { SERVICES } from "../../src/services/registry.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { outlet, run } from "../harness/program.ts";

/** Other options that an option needs to have an effect. */
const NEEDED_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  "tls-ca": ["--tls"],
  "tls-cert": ["--tls"],
  "tls-key": ["--tls", "--tls-cert", "PATH"],
  "tls-key-password-file": ["--tls", "--tls-cert", "PATH"],
  "tls-sni-cert": ["--tls", "--tls-cert", "PATH"],
  "tls-client-ca": ["--tls", "--tls-self-signed"],
  "console-token-file": ["--console", "127.0.0.1:0"],
  "console-cert": ["--console", "127.0.0.1:0"],
  "console-key": ["--console", "127.0.0.1:0", "--console-cert", "PATH"],
  "bus-credentials": ["--bus", "nats://127.0.0.1:9"],
  "bus-ca": ["--bus", "nats://127.0.0.1:9"],
  "password-file": ["--add-user", "joe"],
  svg: ["--read", "FOLDER/file"],
};

/** What path options in a SPEC need. */
const BESIDE_IN_SPEC: Readonly<Record<string, string>> = {
  cwd: "&run=true",
  "to-tls-ca": "&to=tls://127.0.0.1:9",
  "to-tls-cert": "&to=tls://127.0.0.1:9",
  "to-tls-key": "&to=tls://127.0.0.1:9&to-tls-cert=PATH",
  "to-tls-key-password-file": "&to=tls://127.0.0.1:9&to-tls-cert=PATH",
};

/** The path options of a table, each with the arguments that it needs and an unusable path. */
function callsOf(table: OptionTable, before: readonly string[]): [name: string, args: string[]][] {
  return Object.entries(table).filter(([, { path }]) => path !== undefined).map(([name]) => [
    name,
    [
      ...["config", "password-file"].includes(name) ? ["server"] : before,
      ...NEEDED_OPTIONS[name] ?? [],
      `--${name}`,
      "PATH",
    ],
  ]);
}

const CALLS = [
  ...callsOf(SERVER_FLAGS, ["server", "chat://127.0.0.1:0"]),
  ...callsOf(CLIENT_OPTIONS, ["client", "127.0.0.1", "9"]),
  ...callsOf(TRACE_OPTIONS, ["trace"]),
  ...[...SERVICES.values()].flatMap(({ name, options }) =>
    Object.entries(options).filter(([, { path }]) => path !== undefined).map(([key]) => {
      const spec = `${name}://127.0.0.1:0?${key}=PATH${BESIDE_IN_SPEC[key] ?? ""}`;
      const call: [string, string[]] = [key, ["server", spec]];
      return call;
    })
  ),
];

Deno.test("an option whose file, directory or program cannot be used is wrong usage, before anything is started", async () => {
  await using folder = await TemporaryDirectory.make();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  // Below a regular file nothing can be read, created or used as a working directory, not even by
  // root.
  const path = `${folder.path}/file/below`;
  for (const [name, args] of CALLS) {
    const filled = args.map((word) => word.replace("FOLDER", folder.path).replaceAll("PATH", path));
    const { code, stdout, stderr } = await run(outlet(...filled));
    assertEquals([code, stdout], [2, ""], `${filled.join(" ")}: ${stderr}`);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    // If several files are missing, any of them may be named first; a program is named as `run`.
    const names = [name, name.replace(/(key|sni).*/, "cert"), "run"];
    assert(stderr.includes(path) && names.some((each) => stderr.includes(each)), stderr);
  }
});

Deno.test("an error of the network or the system is not wrong usage", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = `${taken.addr.port}`;
  const calls = [
    ["server", `echo://127.0.0.1:${port}`],
    ["server", "--check", "echo://203.0.113.9:7"],
    ["client", "127.0.0.2", port],
    ["client", "-z", "127.0.0.2", port],
    ["client", "--tls", "127.0.0.2", port],
  ];
  for (const args of calls) {
    const { code, stdout, stderr } = await run(outlet(...args));
    assertEquals([code, stdout], [1, ""], `${args.join(" ")}: ${stderr}`);
  }
});

Deno.test("unknown arguments are wrong usage in every mode", async () => {
  for (const mode of ["server", "client", "trace"]) {
    const { code, stdout } = await run(outlet(mode, "--no-such-option"));
    assertEquals([code, stdout], [2, ""], mode);
  }
});
