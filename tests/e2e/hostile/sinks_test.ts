/**
 * A log that is stuck, full or removed must not block the server, which still ends when asked to.
 */
import { assert, assertMatch } from "@std/assert";
import { type AttackedServer, testAttack } from "../../harness/attacked.ts";
import { answers } from "../../harness/echo_clients.ts";
import { eventually } from "../../harness/eventually.ts";
import { Program, run } from "../../harness/program.ts";

/** Connections that are logged in more lines than a pipe and the send queue can hold: some 2 MB. */
const CONNECTIONS = { atOnce: 40, each: 80 };

async function visit({ echo }: AttackedServer): Promise<void> {
  for (let count = 0; count < CONNECTIONS.each; count++) {
    await Promise.all(Array.from({ length: CONNECTIONS.atOnce }, () => answers(echo)));
  }
}

testAttack("stderr is a full pipe; nothing is blocked", {
  needs: ["sh", "mkfifo"],
  logsToStderr: false,
  wrapper: ({ folder }) => [
    ...["sh", "-c", 'mkfifo "$0" && exec 3<>"$0" && exec "$@" 2>&3'] as const,
    `${folder}/pipe`,
  ],
  args: () => [],
  begin: visit,
});

testAttack("the log file is a full pipe; that is reported on stderr, and nothing is blocked", {
  needs: ["mkfifo"],
  logsToStderr: false,
  async args({ folder }) {
    await run(["mkfifo", `${folder}/pipe`]);
    return ["--log-file", `${folder}/pipe`];
  },
  async begin(server, stack) {
    // At the end the pipe is read, so that the pending write completes.
    stack.defer(() => void server.stack.use(new Program(["cat", `${server.folder}/pipe`])));
    await visit(server);
  },
  check: async (server) => void await server.logs(/^outlet: the log \S+: .*\n/),
});

testAttack("the log's disk is full; that is reported on stderr, and nothing is blocked", {
  needs: ["unshare", "mount"],
  logsToStderr: false,
  wrapper: ({ folder }) => [
    ...["unshare", "-m", "sh", "-c"] as const,
    'mkdir "$0" && mount -t tmpfs -o size=32k none "$0" && exec "$@"',
    `${folder}/disk`,
  ],
  args: ({ folder }) => ["--log-file", `${folder}/disk/log`],
  begin: visit,
  check: async (server) =>
    void await server.logs(/^outlet: the log \S+: .*no space left on device/),
});

testAttack("the log file is renamed, then removed; a new one is opened each time", {
  logsToStderr: false,
  args: ({ folder }) => ["--log-file", `${folder}/log`],
  async begin({ folder, echo }) {
    const log = `${folder}/log`;
    const isWritten = () =>
      eventually(async () => {
        await answers(echo);
        return /"event":"closed"/.test(await Deno.readTextFile(log).catch(() => ""));
      }, "a log");
    await isWritten();
    await Deno.rename(log, `${log}.1`);
    await isWritten();
    assertMatch(await Deno.readTextFile(`${log}.1`), /"event":"ready"/);
    await Deno.remove(log);
    await isWritten();
    assert(!/"event":"ready"/.test(await Deno.readTextFile(log)));
  },
});
