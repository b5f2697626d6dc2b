/**
 * A terminal that ends its input, is closed, takes no output, or has another foreground job: no
 * outlet is affected.
 */
import { assert } from "@std/assert";
import { type AttackedServer, ECHO_OUTLET, testAttack } from "../../harness/attacked.ts";
import { readUntil, send } from "../../harness/bytes.ts";
import { answers } from "../../harness/echo_clients.ts";
import { eventually } from "../../harness/eventually.ts";
import { KEY } from "../../harness/terminal.ts";

/** A server on a terminal. Its operator and its log are in one thread, whatever the workers. */
const ON_TERMINAL = { needs: ["python3"], onTerminal: true, workers: [1] } as const;

/** Connections with more log lines than a terminal buffers. */
const VISITS = { rounds: 50, atOnce: 40 };

async function visit({ echo }: AttackedServer): Promise<void> {
  for (let round = 0; round < VISITS.rounds; round++) {
    await Promise.all(Array.from({ length: VISITS.atOnce }, () => answers(echo)));
  }
}

testAttack("Ctrl-D is typed, then clients join a room; only the operator has left it", {
  ...ON_TERMINAL,
  args: () => ["chat://:0?name=it"],
  async begin(server, stack) {
    const first = stack.use(await server.connect("it"));
    await readUntil(first, /welcome.*\n/);
    await server.terminal.type(`hello${KEY.enter}`);
    await readUntil(first, /host> hello\n/);
    await server.terminal.type(KEY.ctrlD);
    await readUntil(first, /host left\n/);
    const second = stack.use(await server.connect("it"));
    await readUntil(second, /welcome.*\n/);
    await send(second, "still here\n");
    await readUntil(first, /> still here\n/);
  },
});

testAttack(
  "the terminal of a server with a config is closed; log lines are lost, and nothing else",
  {
    ...ON_TERMINAL,
    async args({ folder }) {
      const echo = { service: "echo", listen: "127.0.0.1:0", name: ECHO_OUTLET };
      await Deno.writeTextFile(`${folder}/outlet.json`, JSON.stringify({ outlets: [echo] }));
      return ["--config", `${folder}/outlet.json`];
    },
    async begin(server) {
      server.hangUp();
      await visit(server);
    },
  },
);

testAttack("the terminal takes no output while clients chat and connect; nothing is blocked", {
  ...ON_TERMINAL,
  args: () => ["chat://:0?name=it"],
  async begin(server, stack) {
    server.terminal.stopReading();
    stack.defer(() => server.terminal.resumeReading());
    const sender = stack.use(await server.connect("it"));
    const listener = stack.use(await server.connect("it"));
    await readUntil(listener, /welcome.*\n/);
    for (let i = 0; i < 40; i++) await send(sender, `${"x".repeat(1_250)}\n`.repeat(40));
    await send(sender, "that was all\n");
    await readUntil(listener, /> that was all\n/);
    await visit(server);
  },
});

testAttack("an interactive shell starts it in the background; it is not stopped", {
  ...ON_TERMINAL,
  needs: ["python3", "bash"],
  wrapper: () => ["bash", "--norc", "--noprofile", "-ic", '"$@" & wait $!', "bash"],
  args: () => ["chat://:0?name=it"],
  async begin(server, stack) {
    const client = stack.use(await server.connect("it"));
    await readUntil(client, /welcome.*\n/);
    // A background process that reads from its terminal gets SIGTTIN.
    await server.terminal.type("hello\n");
    await visit(server);
  },
  async check({ pid }) {
    const state = () => /^State:\s+(\w)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
    assert(state() !== "T", "it is stopped");
    await eventually(() => state() === "S", "an idle server");
  },
});
