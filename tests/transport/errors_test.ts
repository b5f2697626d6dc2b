import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { lstatSync } from "node:fs";
import { explain } from "../../src/transport/errors.ts";

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

Deno.test("a file error is explained without the system call, the path or an error number", () => {
  const long = "x".repeat(300);
  const cases: [act: () => unknown, pattern: RegExp][] = [
    [() => Deno.readTextFileSync("/none"), /^no such file or directory$/],
    [() => Deno.readTextFileSync("/"), /^it is a directory$/],
    [() => Deno.readTextFileSync("/etc/passwd/x"), /^a part of its path is not a directory$/],
    [() => Deno.mkdirSync("/"), /^file exists$/],
    [() => Deno.openSync(`/tmp/${long}`), /^file name too long$/],
    [() => Deno.openSync("/proc/self/mem/x"), /^a part of its path is not a directory$/],
    [() => lstatSync("/none"), /^no such file or directory$/],
    [() => Deno.removeSync("/proc/version"), /^(operation not permitted|permission denied)$/],
    [() => Deno.truncateSync("/dev/null", 5), /^[^']+$/],
  ];
  for (const [act, pattern] of cases) {
    const text = explain(errorOf(act));
    assertMatch(text, pattern);
    assertNotMatch(text, /os error|'|\bop_|^E[A-Z]+/);
  }
});

Deno.test("messages of outlet, and of errors without a code, are unchanged", () => {
  assertEquals(
    explain(new Error("no upstream available: it's down")),
    "no upstream available: it's down",
  );
  assertEquals(explain("text"), "text");
  assertEquals(explain(new Error("Odd thing (os error 999): open '/x'")), "Odd thing");
});
