/** One anonymous client cannot stop the others: what floods one outlet is done in turns with all else. */
import { readUntil, send } from "../harness/bytes.ts";
import { outlet, Program } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

const FLOODS = {
  "newlines": `tr '\\0' '\\n' </dev/zero`,
  "names": "yes '/name aa\n/name bb'",
  "commands": "yes /who",
  "lines": "yes hello",
  "unknown commands": "yes /x",
};

for (const [what, flood] of Object.entries(FLOODS)) {
  testWith(
    ["ncat", "bash"],
    `a client that floods a chat room with ${what} leaves the others be`,
    async () => {
      await using server = new Program(outlet("server", "chat://:0", "echo://:0"));
      const [, chat] = await server.complains(/chat on 127\.0\.0\.1:(\d+)/);
      const [, echo] = await server.complains(/echo on 127\.0\.0\.1:(\d+)/);
      await server.complains(/ready/);
      await using _flood = new Program([
        "bash",
        "-c",
        `{ ${flood}; } | exec ncat 127.0.0.1 ${chat} >/dev/null`,
      ]);
      await server.complains(/opened +chat/);
      using client = await Deno.connect({ hostname: "127.0.0.1", port: Number(echo) });
      for (let i = 0; i < 50; i++) {
        await send(client, `still ${i}\n`);
        await readUntil(client, new RegExp(`still ${i}\n`));
      }
      // The flood ends with its connection, and its programs with the flood.
      server.signal("SIGKILL");
    },
  );
}
