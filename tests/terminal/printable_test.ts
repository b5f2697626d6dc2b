import { assertEquals } from "@std/assert";
import { printable, printableLines } from "../../src/terminal/printable.ts";

Deno.test("control characters become pictures of themselves", () => {
  assertEquals(printable("\u001b[31mred\u0007\r\n\u007f"), "␛[31mred␇␍␊␡");
});

Deno.test("C1 controls, line separators and marks that turn text around become U+FFFD", () => {
  assertEquals(printable("a\u009bb\u2028c\u202ed\u2066e\ufefff"), "a�b�c�d�e�f");
});

Deno.test("ordinary text of any script stays as it is", () => {
  const text = "grüße, שלום, नमस्ते, 👩‍💻, 日本語";
  assertEquals(printable(text), text);
});

Deno.test("in a conversation lines and tabs keep their shape", () => {
  assertEquals(printableLines("a\tb\r\nc\n\u001b[2J"), "a\tb\nc\n␛[2J");
});
