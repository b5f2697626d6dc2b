import { assertEquals } from "@std/assert";
import { printable, printableLines } from "../../src/terminal/printable.ts";

Deno.test("control characters are replaced by their pictures", () => {
  assertEquals(printable("\u001b[31mred\u0007\r\n\u007f"), "␛[31mred␇␍␊␡");
});

Deno.test("C1 controls, line separators and bidirectional controls become U+FFFD", () => {
  assertEquals(printable("a\u009bb\u2028c\u202ed\u2066e\ufefff"), "a�b�c�d�e�f");
});

Deno.test("ordinary text of any script is unchanged", () => {
  const text = "grüße, שלום, नमस्ते, 👩‍💻, 日本語";
  assertEquals(printable(text), text);
});

Deno.test("newlines and tabs are kept in chat lines", () => {
  assertEquals(printableLines("a\tb\r\nc\n\u001b[2J"), "a\tb\nc\n␛[2J");
});
