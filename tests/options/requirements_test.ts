import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { parseConfig } from "../../src/config/config_file.ts";
import { outletTable } from "../../src/config/outlet_config.ts";
import { SERVER_OPTIONS } from "../../src/config/server_config.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import { parseCommand } from "../../src/cli/args.ts";
import { SERVICES } from "../../src/services/registry.ts";
import { configOf } from "../harness/server.ts";

function refusal(args: readonly string[]): string {
  return assertThrows(() => configOf(args), UsageError).message;
}

/** A SPEC, an outlet in a file and flags each name the option in their own notation. */
const WITHOUT_EFFECT: readonly (readonly [
  key: string,
  value: string,
  ...needed: string[],
])[] = [
  ["tls-cert", "c.pem", "tls"],
  ["tls-key", "c.pem", "tls-cert"],
  ["tls-self-signed", "true", "tls"],
  ["tls-client-ca", "ca.pem", "tls"],
  ["alpn", "h2", "tls"],
  ["trusted-proxy", "10.0.0.1", "accept-proxy", "forwarded-for"],
  ["capture-limit", "1k", "capture"],
];

for (const [key, value, ...needed] of WITHOUT_EFFECT) {
  Deno.test(`${key} without ${needed.join(" or ")} is refused in a SPEC, in flags and in a file`, async () => {
    const why = (dashes: string) =>
      `${dashes}${key} needs ${needed.map((other) => dashes + other).join(" or ")}`;
    const spec = `echo://:0?${key}=${value}`;
    assertEquals(refusal([spec]), `"${spec}": ${why("")}`);
    const flag = value === "true" ? [`--${key}`] : [`--${key}`, value];
    assertEquals(refusal(["echo://:0", ...flag]), why("--"));
    const repeats = outletTable(SERVICES.get("echo")!)[key]!.repeats;
    const given = { [key]: value === "true" ? true : repeats ? [value] : value };
    const outlet = { service: "echo", listen: ":0" };
    for (
      const file of [{ outlets: [{ ...outlet, ...given }] }, { outlets: [spec] }, {
        outlets: [outlet],
        ...given,
      }]
    ) {
      const error = await assertRejects(() => parseConfig(JSON.stringify(file)), UsageError);
      assertMatch(error.message, new RegExp(`${why("")}$`));
    }
  });
}

for (
  const [args, message] of [
    ["echo://:0 --log-file-size 1M", "--log-file-size needs --log-file"],
    ["echo://:0 --log-files 3", "--log-files needs --log-file"],
    ["echo://:0 --bus-credentials f", "--bus-credentials needs --bus"],
    ["echo://:0 --bus-ca f", "--bus-ca needs --bus"],
    ["echo://:0 --console-token-file f", "--console-token-file needs --console"],
    ["echo://:0 --console off --console-cert f", "--console-cert needs --console"],
    ["echo://:0 --console --console-key f", "--console-key needs --console-cert"],
    ["echo://:0 --console-insecure", "--console-insecure needs --console"],
    ["echo://:0 --burst 3", "--burst needs --rate"],
    ["echo://:0?burst=3 --rate 5", '"echo://:0?burst=3": burst needs rate'],
    [
      "record://:0?file=x&keep=3",
      '"record://:0?file=x&keep=3": keep needs rotate-size or rotate-age',
    ],
    ["record://:0?dir=x&lines", '"record://:0?dir=x&lines": lines needs file'],
    ["record://:0?dir=x&file=y", '"record://:0?dir=x&file=y": file and dir exclude each other'],
    ["exec://:0?run=x -- y", "--command and --run exclude each other"],
    [
      "forward://:0?to=h:1&balance=first",
      '"forward://:0?to=h:1&balance=first": balance needs several upstreams',
    ],
    ["echo://:0?tls&tls-cert=x&tls-self-signed", "tls-cert and tls-self-signed exclude each other"],
    ["echo://:0?mode=0600", "mode is only for Unix sockets, not for 127.0.0.1:0"],
    ["echo://:0 --mode 0600", "--mode is only for Unix sockets, not for 127.0.0.1:0"],
    ["echo+unix:///x?backlog=5", "backlog is only for TCP, not for unix:/x"],
    ["echo+unix:///x --no-keep-alive", "--keep-alive is only for TCP, not for unix:/x"],
    [
      "echo+unix:///x?allow=10.0.0.1",
      "allow is about client addresses, and clients at unix:/x have none",
    ],
    [
      "echo+unix:///x --max-per-ip 2",
      "--max-per-ip is about client addresses, and clients at unix:/x have none",
    ],
    ["echo://:0 --check --print-config", "--check and --print-config exclude each other"],
  ] as const
) {
  Deno.test(`"outlet server ${args}" is refused, because an option has no effect`, () => {
    const { message: error } = assertThrows(() => configOf(args.split(" ")), UsageError);
    assertEquals(error.includes(message), true, error);
  });
}

Deno.test("an option that only some outlets need may be given for all", () => {
  const [one, other] = configOf(["echo://:1?tls", "echo://:2", "--tls-cert", "c.pem"]).outlets;
  assertEquals([one, other].map((outlet) => outlet?.outletOptions.tls), [true, false]);
  configOf(["echo+unix:///x", "echo://:1", "--backlog", "7", "--allow", "::1", "--mode", "0600"]);
  configOf(["echo+unix:///x?accept-proxy&allow=10.0.0.1&max-per-ip=2"]);
  configOf(["--console-token-file", "f"]);
});

Deno.test("an outlet's own option overrides a common one that it excludes", () => {
  const [one, other] = configOf([
    ...["echo://:1?tls-cert=c.pem", "echo://:2", "--tls", "--tls-self-signed"],
  ]).outlets.map(({ outletOptions }) => outletOptions);
  assertEquals([one?.["tls-cert"], one?.["tls-self-signed"]], ["c.pem", false]);
  assertEquals([other?.["tls-cert"], other?.["tls-self-signed"]], [undefined, true]);
});

Deno.test("an option with its default value needs and excludes nothing", () => {
  configOf(["echo://:0?tls-self-signed=false&capture-limit=16M"]);
});

Deno.test("options need and exclude only existing options", async () => {
  const { CLIENT_OPTIONS } = await import("../../src/config/client_config.ts");
  const { TRACE_OPTIONS } = await import("../../src/config/trace_config.ts");
  const tables = [
    ...[...SERVICES.values()].map(outletTable),
    SERVER_OPTIONS,
    CLIENT_OPTIONS,
    TRACE_OPTIONS,
  ];
  for (const table of tables) {
    for (const { needs = [], excludes = [] } of Object.values(table)) {
      for (const name of [...needs, ...excludes]) assertEquals([name, name in table], [name, true]);
    }
  }
});

for (
  const [args, message] of [
    ["h 1 --retry-delay 2s", /^--retry-delay needs --retry$/],
    ["h 1 --tls-pin x", /--tls-pin "x": expected/],
    ["h 1 --interval 2s", /^--interval needs --probe/],
    ["h 1 --size 2", /^--size needs --bench/],
    ["h 1 --bench --probe", /^--(probe|bench) and --(bench|probe) exclude each other$/],
    ["tls://h:1 --tls-key k", /^--tls-key needs --tls-cert/],
  ] as const
) {
  Deno.test(`"outlet client ${args}" is refused, because an option has no effect`, async () => {
    const error = await parseCommand(["client", ...args.split(" ")]).catch((error) => error);
    assertMatch(error.message, message);
  });
}
