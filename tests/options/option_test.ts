import { assertEquals, assertThrows } from "@std/assert";
import { choice, integer, PORT, TEXT } from "../../src/options/kinds.ts";
import { flag, list, option } from "../../src/options/option.ts";
import { unknownName, UsageError } from "../../src/options/usage_error.ts";

Deno.test("an option parses its value, or says what it expected", () => {
  const port = option(PORT, "a port");
  assertEquals(port.parse("80"), 80);
  for (const word of ["0x50", "65536", "-1", "80x", "", " 80", "8e1", "80.0"]) {
    assertThrows(() => port.parse(word), UsageError, "expected a port, 0 to 65535");
  }
});

Deno.test("a choice accepts only its words", () => {
  const format = option(choice(["text", "json"]), "a format");
  assertEquals(format.parse("json"), "json");
  assertThrows(() => format.parse("JSON"), UsageError, "expected one of text, json");
});

Deno.test("a list collects repeated and comma-separated values", () => {
  assertEquals(list(integer({ min: 1, max: 9 }), "digits").parse("1,2,3"), [1, 2, 3]);
  assertThrows(() => list(TEXT, "names").parse("a,,b"), UsageError, "expected some text");
});

Deno.test("a boolean is turned on and off with the usual words", () => {
  const texts = ["", "true", "yes", "on", "1", "false", "no", "off", "0"];
  const read = texts.map((word) => flag("a switch").parse(word));
  assertEquals(read, [true, true, true, true, true, false, false, false, false]);
  assertThrows(() => flag("a switch").parse("maybe"), UsageError, "expected true or false");
});

Deno.test("an unknown word is answered with the closest valid one, or with all of them", () => {
  const known = ["echo", "chat", "discard"];
  assertEquals(
    unknownName("ecko", { noun: "service", choices: known }).message,
    'unknown service "ecko": did you mean "echo"?',
  );
  assertEquals(
    unknownName("ftp", { noun: "service", choices: known }).message,
    'unknown service "ftp": expected one of echo, chat, discard',
  );
});

Deno.test("an unknown word is escaped and shortened in the error", () => {
  const { message } = unknownName("\u001b[31m" + "x".repeat(500), {
    noun: "mode",
    choices: ["server"],
  });
  // deno-lint-ignore no-control-regex
  assertEquals(/[\u0000-\u001f]/.test(message) || message.length > 200, false);
});
