/** A capture never blocks its connection for long, and reports what is missing in it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { captureTo, openCapture } from "../../src/connection/capture.ts";
import { bytesOf } from "../harness/bytes.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";

Deno.test("a disk that takes nothing is waited for briefly, then the connection continues, and the lost bytes are reported", async () => {
  let text = "";
  const disk = Promise.withResolvers<void>();
  const faults: unknown[] = [];
  const { record, taken } = captureTo({
    async write(bytes) {
      await disk.promise;
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  }, { limit: Infinity, onFault: (error) => faults.push(error) });
  // Without the time limit, none of these writes would resolve.
  for (let i = 0; i < 100; i++) await record("<", new Uint8Array(10_000));
  assertEquals(faults.length, 1);
  disk.resolve();
  await taken();
  await record(">", bytesOf("again"));
  await taken();
  assertMatch(text, /^< .* 00000000 /);
  assertMatch(text, /… \d+ chunks are missing here/);
  assertMatch(text, /\n> .* 0{8} +61 67 61 69 6e .*again\|\n$/);
  assert(text.length < 2_000_000, `${text.length}`);
});

Deno.test("a capture file is complete when it is closed", async () => {
  await using folder = await TemporaryDirectory.make();
  {
    const faults: unknown[] = [];
    const options = { directory: `${folder.path}/new`, name: "echo", limit: 1_000 };
    using capture = await openCapture(7, { ...options, onFault: (error) => faults.push(error) });
    await capture!.record("<", bytesOf("question"));
    await capture!.record(">", bytesOf("answer"));
    assertEquals(faults, []);
  }
  const [file] = await Array.fromAsync(Deno.readDir(`${folder.path}/new`));
  assertMatch(file!.name, /^echo-.*-7\.hex$/);
  const text = await Deno.readTextFile(`${folder.path}/new/${file!.name}`);
  assertMatch(text, /^< .*question\|\n> .*answer\|\n$/);
});
