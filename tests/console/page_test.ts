/** The page's files are complete, and bytes are displayed as text. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { bothOf, bytesOf, hexOf, textOf } from "../../src/console/page/byte_text.js";
import { escapedToHex } from "../../src/console/page/escapes.js";
import { PAGE_FILES, pageFile } from "../../src/console/page_files.ts";
import { bytesOf as utf8 } from "../harness/bytes.ts";
import { ROOT } from "../harness/program.ts";

const PAGE = `${ROOT}src/console/page/`;

Deno.test("every file of the page is embedded, and every import resolves to one of them", async () => {
  const names = [...Deno.readDirSync(PAGE)].map(({ name }) => name);
  assertEquals(names.filter((name) => name !== "deno.json" && !PAGE_FILES.includes(name)), []);
  for (const name of PAGE_FILES.filter((name) => name.endsWith(".js"))) {
    const text = await textAt(`/${name}`);
    for (const [, path] of text.matchAll(/^(?:import|export) .*?from "(.*?)";/gms)) {
      assert(PAGE_FILES.includes(path!.replace("./", "")), `${name} imports ${path}`);
    }
  }
});

Deno.test("packages are served from their own files", async () => {
  const preact = await textAt("/preact.js");
  assert(/export\{.*as html,.*as useState/.test(preact));
  assert((await textAt("/uplot.js")).includes("export { uPlot as default"));
});

Deno.test("what a peer sends is displayed, with control characters replaced", () => {
  assertEquals(textOf(utf8("\x1b[31m<script>\u202e\0\r\n\ttwo")), "␛[31m<script>\ufffd␀␍\n\ttwo");
  assertEquals(
    hexOf(utf8("0123456789abcdef!"), 16),
    [
      "00000010  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66",
      "00000020  21",
    ].join("\n"),
  );
  assertEquals(bothOf(utf8("a\n"), 0), `00000000  ${"61 0a".padEnd(48)} a·`);
  assertEquals([...bytesOf("AP8=")], [0, 255]);
});

Deno.test("typed escapes are replaced by their bytes", () => {
  assertEquals(escapedToHex("a\\n"), "610a");
  assertEquals(escapedToHex("\\xff\\x00\\e\\0\\\\"), "ff001b005c");
  assertEquals(escapedToHex("é\\u{1f600}"), "c3a9f09f9880");
  assertThrows(() => escapedToHex("\\q"), Error, "\\q");
});

async function textAt(path: string): Promise<string> {
  return await pageFile(new Request(`http://127.0.0.1${path}`)).text();
}
