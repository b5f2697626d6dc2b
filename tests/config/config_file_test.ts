import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { showConfig } from "../../src/app/show_config.ts";
import { parseServerArgs } from "../../src/cli/server_args.ts";
import { parseConfig, readConfigFile } from "../../src/config/config_file.ts";
import { jsonSchema } from "../../src/config/schema.ts";
import { checkNotEmptied } from "../../src/config/server_rules.ts";
import type { ServerConfig } from "../../src/config/server_config.ts";
import { writeConfig } from "../../src/config/write_config.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import { ROOT } from "../harness/program.ts";
import { configOf } from "../harness/server.ts";

function fileOf(config: object): string {
  return JSON.stringify(config);
}

Deno.test("a file has the same meaning as the same options on the command line", async () => {
  const config = await parseConfig(`{
    // comments and trailing commas may stand
    "outlets": [
      { "service": "chat", "listen": ":7000", "room": "ops", "max-per-ip": 2, "idle-timeout": 90, },
      { "service": "exec", "listen": "[::1]:7001", "command": ["sh", "-c", "echo a,b"] },
    ],
    "rate": 5,
    "deny": ["10.0.0.0/8", "::1"],
    "write-timeout": "5m",
    "log-file": "/var/log/outlet.log",
    "log-file-size": "1M",
    "metrics": ":9100",
    "bus": "nats://u:p@10.0.0.5,[::1]:4223",
  }`);
  assertEquals(
    config,
    configOf([
      "chat://:7000?room=ops&max-per-ip=2&idle-timeout=90s",
      "exec://[::1]:7001",
      ..."--rate 5 --deny 10.0.0.0/8,::1 --write-timeout 300 --log-file /var/log/outlet.log".split(
        " ",
      ),
      ..."--log-file-size 1048576".split(" "),
      ..."--metrics 127.0.0.1:9100 --bus nats://u:p@10.0.0.5:4222,[::1]:4223".split(" "),
      ..."-- sh -c".split(" "),
      "echo a,b",
    ]),
  );
});

Deno.test("flags override the file's defaults, but not an outlet's own options", async () => {
  const text = fileOf({
    outlets: [
      { service: "echo", listen: ":7000", "idle-timeout": "1s" },
      { service: "echo", listen: ":7001" },
    ],
    "idle-timeout": "2s",
    "log-level": "error",
  });
  const flags = new Map<string, unknown>([["idle-timeout", 3000], ["log-level", "debug"]]);
  const { outlets, options } = await parseConfig(text, { flags });
  assertEquals(outlets.map(({ outletOptions }) => outletOptions["idle-timeout"]), [1000, 3000]);
  assertEquals(options["log-level"], "debug");
});

for (
  const [fault, file, message] of [
    [
      "an unknown key",
      { outlets: [], "log-levle": "debug" },
      '"log-levle": did you mean "log-level"?',
    ],
    [
      "an outlet's unknown key",
      { outlets: [{ service: "echo", listen: ":7", "idle-timout": 5 }] },
      'outlets[0]: unknown key "idle-timout": did you mean "idle-timeout"?',
    ],
    [
      "another service's key",
      { outlets: [{ service: "echo", listen: ":7", room: "ops" }] },
      'outlets[0]: unknown key "room"',
    ],
    [
      "an unknown service",
      { outlets: [{ service: "ecko", listen: ":7" }] },
      'outlets[0].service: unknown service "ecko": did you mean "echo"?',
    ],
    [
      "a missing address",
      { outlets: [{ service: "echo" }] },
      "outlets[0].listen: missing: expected HOST:PORT, :PORT, udp://HOST:PORT or unix:PATH",
    ],
    [
      "an invalid port",
      { outlets: [{ service: "echo", listen: ":70000" }] },
      'outlets[0].listen: ":70000": port "70000": expected a port, 0 to 65535',
    ],
    [
      "an invalid rule",
      { outlets: [], allow: ["::1", "10.0.0.1/8"] },
      'allow[1]: "10.0.0.1/8": bits are set after the first 8',
    ],
    [
      "an invalid duration",
      { outlets: [], lifetime: "5 parsecs" },
      'lifetime: "5 parsecs": expected a duration such as 500ms, 30s, 5m or 2h',
    ],
    [
      "an invalid number",
      { outlets: [], backlog: 0 },
      "backlog: expected a whole number, 1 to 65535, not 0",
    ],
    [
      "an invalid choice",
      { outlets: [], "when-full": "panic" },
      'when-full: expected one of refuse, defer, not "panic"',
    ],
    [
      "a word instead of a boolean",
      { outlets: [], "keep-alive": "yes" },
      'keep-alive: expected true or false, not "yes"',
    ],
    ["no outlets", {}, "outlets: missing: expected a list of outlets"],
    [
      "an option without one that it needs",
      { outlets: [{ service: "echo", listen: ":7", burst: 5 }] },
      "outlets[0]: burst needs rate",
    ],
    [
      "two outlets at one address",
      { outlets: [{ service: "echo", listen: ":7" }, { service: "chat", listen: ":7" }] },
      "echo and chat have the same address, 127.0.0.1:7",
    ],
  ] as const
) {
  Deno.test(`${fault} in a file is reported with its path and what was expected`, async () => {
    await assertRejects(() => parseConfig(fileOf(file)), UsageError, message);
  });
}

Deno.test("a file that is not JSON is reported with line and column", async () => {
  await assertRejects(
    () => parseConfig('{\n  "outlets": [}\n'),
    UsageError,
    'line 2, column 15: unexpected token "}"',
  );
});

for (
  const [fault, text, message] of [
    [
      "a truncated file",
      '{\n  "outlets": [\n    "echo://:7"',
      "line 3, column 16: unexpected end of file: the [ in line 2, column 14 is not closed",
    ],
    ["a string without an end", '{\n  "outlets": "x', 'line 2, column 14: unexpected token ""x"'],
    ["an empty file", "\n", "the file is empty"],
    [
      "a comment without an end",
      '{"outlets": []} /* x',
      "line 1, column 21: the file ends in the middle of a value",
    ],
    [
      "a repeated key",
      '{\n  "outlets": [],\n  "rate": 5,\n  // "rate": 6,\n  "r\\u0061te": 7\n}',
      'line 5, column 3: "rate" is already in line 3, column 3',
    ],
    [
      "a repeated key of an outlet",
      '{"outlets": [{"service": "echo", "listen": ":7", "listen": ":8"}]}',
      'line 1, column 50: "listen" is already in line 1, column 34',
    ],
  ] as const
) {
  Deno.test(`${fault} is reported with line and column`, async () => {
    await assertRejects(() => parseConfig(text), UsageError, message);
  });
}

Deno.test("several outlets may have the same key, and the file may begin with a byte order mark", async () => {
  const text =
    '\uFEFF{"outlets": [{"service": "echo", "listen": ":7"}, {"service": "echo", "listen": ":8"}]}';
  assertEquals((await parseConfig(text)).outlets.length, 2);
});

Deno.test("an outlet may be an object or a SPEC, with the same meaning", async () => {
  assertEquals(
    await parseConfig(fileOf({ outlets: ["echo://:7007?idle-timeout=90&name=one"] })),
    await parseConfig(
      fileOf({ outlets: [{ service: "echo", listen: ":7007", "idle-timeout": 90, name: "one" }] }),
    ),
  );
  assertEquals(
    await parseConfig(fileOf({ outlets: ["chat+unix:///run/x"] })),
    await parseConfig(fileOf({ outlets: [{ service: "chat", listen: "unix:/run/x" }] })),
  );
});

Deno.test("an invalid SPEC in a file is reported with its index", async () => {
  await assertRejects(
    () => parseConfig(fileOf({ outlets: ["echo://:7", "ecko://:8"] })),
    UsageError,
    'outlets[1]: "ecko://:8": unknown service "ecko": did you mean "echo"?',
  );
  await assertRejects(
    () => parseConfig(fileOf({ outlets: [7] })),
    UsageError,
    "outlets[0]: expected an outlet, not 7",
  );
});

Deno.test("relative paths start from the file's directory, and in flags from the working directory", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${folder}/outlet.json`,
      fileOf({
        outlets: [
          {
            service: "exec",
            listen: "unix:run/x.sock",
            command: ["./bin/tool", "./stays"],
            cwd: "work",
            capture: "dumps",
          },
          "exec+unix://y.sock?run=bc",
          "record://:1?file=all",
          "forward://:2?to=unix:up.sock",
        ],
        tls: true,
        "tls-cert": "cert.pem",
        "log-file": "../outlet.log",
      }),
    );
    const { outlets, options } = await readConfigFile(
      `${folder}/outlet.json`,
      new Map([["capture", "here"]]),
    );
    const [one, other, record, forward] = outlets;
    assertEquals(one?.listen, { path: `${folder}/run/x.sock` });
    assertEquals(one?.serviceOptions.command, [`${folder}/bin/tool`, "./stays"]);
    assertEquals(one?.serviceOptions.cwd, `${folder}/work`);
    assertEquals(one?.outletOptions.capture, `${folder}/dumps`);
    assertEquals(one?.outletOptions["tls-cert"], `${folder}/cert.pem`);
    assertEquals(other?.listen, { path: `${folder}/y.sock` });
    assertEquals(other?.serviceOptions.run, "bc");
    assertEquals(other?.outletOptions.capture, "here");
    assertEquals(record?.serviceOptions.file, `${folder}/all`);
    assertEquals(forward?.serviceOptions.to, [
      { address: { path: `${folder}/up.sock` }, tls: false },
    ]);
    assertEquals(options["log-file"], folder.replace(/[^/]*$/, "outlet.log"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a reload with an empty list of outlets is refused, unless the server started so", async () => {
  const [none, some] = await Promise.all(
    [{ outlets: [] }, { outlets: ["echo://:7"] }].map((file) => parseConfig(fileOf(file))),
  );
  assertThrows(
    () => checkNotEmptied({ atStart: some!, next: none! }),
    UsageError,
    "outlets: the list is empty, which would close every outlet",
  );
  checkNotEmptied({ atStart: none!, next: none! });
  checkNotEmptied({ atStart: some!, next: some! });
});

Deno.test("--print-config without arguments includes the default console", async () => {
  const command = parseServerArgs(["--print-config"]);
  if (command.action === "add-user") throw new Error("another command");
  assertEquals(JSON.parse(await showConfig(command)), {
    outlets: [{ service: "chat", listen: "127.0.0.1:7000" }],
    console: "127.0.0.1:7001",
  });
});

Deno.test("a missing file is named", async () => {
  const path = await Deno.makeTempDir() + "/none.json";
  await assertRejects(
    () => readConfigFile(path),
    Error,
    `cannot read the config file ${path}: no such file`,
  );
});

for (
  const args of [
    [],
    ["chat://:0?room=ops&allow=10.0.0.0/8,::1", "--deny", "192.0.2.1", "--drain-timeout", "1500ms"],
    ["exec://:0", "--log-format", "json", "--metrics", ":0", "--", "printf", "%s, %s", "a", "b"],
    ["forward://:0?to=127.0.0.1:80,unix:/run/x.sock", "--max-connections", "9", "--rate", "2"],
    ["echo://[::1]:0?no=1".replace("?no=1", ""), "--no-keep-alive", "--write-timeout", "0"],
  ]
) {
  Deno.test(`outlet server ${args.join(" ")} --print-config prints an equivalent config`, async () => {
    const config: ServerConfig = configOf(args);
    assertEquals(await parseConfig(writeConfig(config)), config);
  });
}

Deno.test("docs/config.schema.json is up to date; else run: deno task schema", async () => {
  const text = await Deno.readTextFile(`${ROOT}docs/config.schema.json`);
  assertEquals(JSON.parse(text), JSON.parse(JSON.stringify(jsonSchema())));
});

Deno.test("the example in docs/operations.md is a valid config", async () => {
  const page = await Deno.readTextFile(`${ROOT}docs/operations.md`);
  const [, example] = /```jsonc\n([^]*?)```/.exec(page)!;
  assertEquals((await parseConfig(example!)).outlets.length, 3);
});
