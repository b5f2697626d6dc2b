/** Floods of one outlet must not block the others. */
import { assert } from "@std/assert";
import { type AttackedServer, testAttack } from "../../harness/attacked.ts";
import { eventually } from "../../harness/eventually.ts";
import { descriptorsOf } from "../../harness/process.ts";
import { ResettingClient } from "../../harness/resetting_client.ts";
import { Program, ROOT } from "../../harness/program.ts";

/** The number of descriptors of a server with many incomplete requests. */
const INCOMPLETE_DESCRIPTORS = 75;

/**
 * Descriptions of floods, the SPECs of the outlets that are flooded, and the functions in
 * `attack.py`.
 */
const FLOODS = [
  ["floods a chat room with newlines", "chat://:0", "newlines"],
  ["floods a chat room with names", "chat://:0", "names"],
  ["floods a chat room with commands", "chat://:0", "commands"],
  ["floods a chat room with lines", "chat://:0", "lines"],
  [
    "sends incomplete PROXY headers",
    "echo://:0?accept-proxy&max-connections=60",
    "half_proxy_headers",
  ],
  [
    "sends incomplete TLS handshakes",
    "echo://:0?tls&tls-self-signed&max-connections=60",
    "half_hellos",
  ],
  ["asks a proxy for the proxy itself, again and again", "proxy://:0", "socks_nested"],
  ["resets forwarded connections continuously", "forward://:0?to=127.0.0.1:9", "resets"],
  ["writes single bytes to record", "record://:0?file=FOLDER/record", "one_byte"],
] as const;

for (const [sentence, spec, kind] of FLOODS) {
  testAttack(`a client ${sentence}; other outlets are not blocked`, {
    needs: ["python3"],
    args: (
      { folder },
    ) => [`${spec.replace("FOLDER", folder)}${spec.includes("?") ? "&" : "?"}name=it`],
    begin: (server, stack) => flood(server, stack, kind),
  });
}

testAttack("a client's program writes to stderr without end; other outlets are not blocked", {
  args: () => ["exec://:0?name=it", "--", "sh", "-c", "exec yes '' >&2"],
  async begin(server, stack) {
    stack.use(new ResettingClient(await server.port("it")));
    await server.logs(/"service-output".*lines dropped/);
  },
});

testAttack("a client asks for the metrics without waiting for answers; outlets are not blocked", {
  needs: ["python3"],
  args: () => [],
  async begin(server, stack) {
    const before = descriptorsOf(server.pid);
    const args = ["requests", `127.0.0.1:${server.metricsPort}`, "600"];
    stack.use(new Program(["python3", `${ROOT}tests/hostile/attack.py`, ...args]));
    await eventually(() => descriptorsOf(server.pid) > before + 2);
  },
  // Each answer reads files of the kernel: thousands at once would use up all descriptors.
  check: (server) => Promise.resolve(assert(descriptorsOf(server.pid) < 120)),
});

/** Floods the outlet named `it` until the end of the attack. */
async function flood(
  server: AttackedServer,
  stack: AsyncDisposableStack,
  kind: string,
): Promise<void> {
  const args = [kind, `127.0.0.1:${await server.port("it")}`, "600"];
  stack.use(new Program(["python3", `${ROOT}tests/hostile/attack.py`, ...args]));
  if (kind.startsWith("half_")) {
    await eventually(() => descriptorsOf(server.pid) > INCOMPLETE_DESCRIPTORS);
  } else await server.logs(/"event":"(opened|failed)","outlet":"it"/);
}
