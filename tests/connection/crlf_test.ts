import { assertEquals } from "@std/assert";
import { withCrlf } from "../../src/connection/crlf.ts";
import { bytesOf } from "../harness/bytes.ts";

async function converted(...chunks: string[]): Promise<string> {
  let text = "";
  for await (const chunk of withCrlf(ReadableStream.from(chunks.map(bytesOf)))) {
    text += new TextDecoder().decode(chunk);
  }
  return text;
}

Deno.test("a CR is inserted before every LF that lacks one", async () => {
  assertEquals(await converted("a\nb\r\n\n"), "a\r\nb\r\n\r\n");
});

Deno.test("a CRLF that is split between two chunks is left unchanged", async () => {
  assertEquals(await converted("a\r", "\nb", "\n"), "a\r\nb\r\n");
});
