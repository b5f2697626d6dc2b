/** One anonymous client cannot stop the others: what floods one outlet is done in turns with all else. */
import { type AttackedServer, testAttack } from "../../harness/attacked.ts";
import { eventually } from "../../harness/eventually.ts";
import { descriptorsOf } from "../../harness/process.ts";
import { RudeClient } from "../../harness/rude_client.ts";
import { Program, ROOT } from "../../harness/program.ts";

/** How many descriptors a server has once many have begun and not ended something. */
const HALVES = 75;

/** What clients do, the SPEC of the outlet that they do it to, and their names in `attack.py`. */
const FLOODS = [
  ["floods a chat room with newlines", "chat://:0", "newlines"],
  ["floods a chat room with names", "chat://:0", "names"],
  ["floods a chat room with commands", "chat://:0", "commands"],
  ["floods a chat room with lines", "chat://:0", "lines"],
  [
    "begins more PROXY headers than it ends",
    "echo://:0?accept-proxy&max-connections=60",
    "half_proxy_headers",
  ],
  [
    "begins more TLS handshakes than it ends",
    "echo://:0?tls&tls-self-signed&max-connections=60",
    "half_hellos",
  ],
  ["resets one forwarded connection after the other", "forward://:0?to=127.0.0.1:9", "resets"],
  ["sends a file a byte at a time", "record://:0?file=FOLDER/record", "one_byte"],
] as const;

for (const [sentence, spec, kind] of FLOODS) {
  testAttack(`a client ${sentence}, and leaves the others be`, {
    needs: ["python3"],
    words: (
      { folder },
    ) => [`${spec.replace("FOLDER", folder)}${spec.includes("?") ? "&" : "?"}name=it`],
    begin: (server, stack) => flood(server, stack, kind),
  });
}

testAttack("a client's program complains without end, and leaves the others be", {
  words: () => ["exec://:0?name=it", "--", "sh", "-c", "exec yes '' >&2"],
  async begin(server, stack) {
    stack.use(new RudeClient(await server.port("it")));
    await server.tells(/"service-output".*lines dropped/);
  },
});

/** Floods the outlet that is called `it` until the end of the attack. */
async function flood(
  server: AttackedServer,
  stack: AsyncDisposableStack,
  kind: string,
): Promise<void> {
  const words = [kind, `127.0.0.1:${await server.port("it")}`, "600"];
  stack.use(new Program(["python3", `${ROOT}tests/hostile/attack.py`, ...words]));
  if (kind.startsWith("half_")) await eventually(() => descriptorsOf(server.pid) > HALVES);
  else await server.tells(/"event":"(opened|failed)","outlet":"it"/);
}
