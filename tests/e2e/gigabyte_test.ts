/** A gibibyte through client and server, with every byte checked and bounded memory. */
import { createHash } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import { noise } from "../harness/bytes.ts";
import { outlet, Program } from "../harness/program.ts";

const MEBIBYTE = 1024 * 1024;
const MEBIBYTES = 1024;

/** Most of this is the runtime itself. */
const MEMORY_LIMIT = 250 * MEBIBYTE;

Deno.test("1 GiB passes through client and echo unchanged, in bounded memory", async () => {
  await using server = new Program(outlet("server", "echo://:0"));
  const [, port] = await server.logs(/listening echo on 127\.0\.0\.1:(\d+)/);
  const [command, ...args] = outlet("client", "127.0.0.1", port!);
  const client = new Deno.Command(command, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = client.stdin.getWriter();
  const sent = createHash("sha1");
  const received = createHash("sha1");
  const pouring = (async () => {
    const block = noise(MEBIBYTE);
    for (let i = 0; i < MEBIBYTES; i++) {
      new DataView(block.buffer).setUint32(0, i);
      sent.update(block);
      await writer.write(block.slice());
    }
  })();
  let length = 0;
  for await (const chunk of client.stdout) {
    received.update(chunk);
    length += chunk.length;
    if (length === MEBIBYTES * MEBIBYTE) {
      const peaks = [peakMemory(server.pid), peakMemory(client.pid)];
      assert(peaks.every((peak) => peak < MEMORY_LIMIT), `peaks: ${peaks}`);
      await writer.close();
    }
  }
  await pouring;
  assertEquals(length, MEBIBYTES * MEBIBYTE);
  assertEquals(received.digest("hex"), sent.digest("hex"));
  assertEquals((await client.status).code, 0);
});

/** The peak resident memory of a process, in bytes. */
function peakMemory(pid: number): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kilobytes) * 1024;
}
