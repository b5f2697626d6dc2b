import { assertEquals, assertThrows } from "@std/assert";
import { parseFlags } from "../../src/cli/flags.ts";
import { DURATION, PORT, TEXT } from "../../src/options/kinds.ts";
import { flag, list, option } from "../../src/options/option.ts";
import { UsageError } from "../../src/options/usage_error.ts";

const table = {
  port: option(PORT, "a port", { short: "p" }),
  verbose: flag("tell more", { short: "v" }),
  keep: flag("keep on", { short: "k", default: true }),
  wait: option(DURATION, "how long", { short: "w" }),
  host: list(TEXT, "hosts"),
  page: option(TEXT, "where", { bare: "here" }),
};

function read(line: string): Record<string, unknown> {
  const { values, operands, rest } = parseFlags(line === "" ? [] : line.split(" "), {
    mode: "client",
    table,
  });
  return { ...Object.fromEntries(values), operands, rest };
}

for (
  const [line, expected] of [
    ["", {}],
    ["--port 80", { port: 80 }],
    ["--port=80", { port: 80 }],
    ["-p 80", { port: 80 }],
    ["-p80", { port: 80 }],
    ["-vp80", { verbose: true, port: 80 }],
    ["-vkp 80", { verbose: true, keep: true, port: 80 }],
    ["--verbose=no", { verbose: false }],
    ["--verbose= x", { verbose: true, operands: ["x"] }],
    ["--no-keep 1", { keep: false, operands: ["1"] }],
    ["--verbose true", { verbose: true, operands: ["true"] }],
    ["--host a --host b,c", { host: ["a", "b", "c"] }],
    ["--host=--x", { host: ["--x"] }],
    ["--host a=b=c", { host: ["a=b=c"] }],
    ["--page", { page: "here" }],
    ["--page -v", { page: "here", verbose: true }],
    ["--page echo://:7", { page: "here", operands: ["echo://:7"] }],
    ["--page x", { page: "x" }],
    ["- 007 0x10 1e3", { operands: ["-", "007", "0x10", "1e3"] }],
    ["a -- --port x -- y", { operands: ["a"], rest: ["--port", "x", "--", "y"] }],
  ] as const
) {
  Deno.test(`"${line}" is parsed`, () => {
    assertEquals(read(line), { operands: [], rest: [], ...expected });
  });
}

for (
  const [line, message] of [
    ["--port", "--port: expected a port, 0 to 65535, and nothing follows it"],
    ["--port --verbose", "--port: expected a port, 0 to 65535, and nothing follows it"],
    ["-p --", "-p: expected a port, 0 to 65535, and nothing follows it"],
    ["-p 80 --port=81", "--port was given twice"],
    ["-vp80x", '-p "80x": expected a port, 0 to 65535'],
    ["-w soon", '-w "soon": expected a duration'],
    ["--no-port", 'unknown option "--no-port"'],
    ["--no-keep=x", 'unknown option "--no-keep"'],
    ["--prot 80", 'unknown option "--prot": did you mean "--port"?'],
    ["-vx", 'unknown option "-x"'],
    ["--__proto__=x", 'unknown option "--__proto__"'],
    ["--constructor x", 'unknown option "--constructor"'],
    ["--host.name x", 'unknown option "--host.name"'],
    ["--_ x", 'unknown option "--_"'],
  ] as const
) {
  Deno.test(`"${line}" is refused with the argument at fault`, () => {
    assertThrows(() => read(line), UsageError, message);
  });
}
