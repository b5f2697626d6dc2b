/** Hostile clients of a proxy: what they hold is released, and nothing else is blocked. */
import { assertEquals } from "@std/assert";
import { testAttack } from "../../harness/attacked.ts";
import { Program, ROOT } from "../../harness/program.ts";
import { readAll, send } from "../../harness/bytes.ts";
import { ask, COMMAND, reply } from "../../harness/socks.ts";

/** The number of clients for each kind of request. */
const CLIENTS = 20;

const ANYBODY = { hostname: "0.0.0.0", port: 0 };

testAttack("clients of a proxy hold tunnels, listeners, UDP ports and half requests", {
  args: () => ["proxy://:0?name=it", "discard://127.0.0.1:0?name=target"],
  async begin(server, stack) {
    const target = { hostname: "127.0.0.1", port: await server.port("target") };
    for (let i = 0; i < CLIENTS; i++) {
      for (
        const [command, address] of [
          [COMMAND.connect, target],
          [COMMAND.bind, ANYBODY],
          [COMMAND.associate, ANYBODY],
        ] as const
      ) {
        const client = stack.use(await server.connect("it"));
        await ask(client, command, address);
        assertEquals((await reply(client)).code, 0);
      }
      const half = stack.use(await server.connect("it"));
      await send(half, Uint8Array.of(5, 1));
    }
  },
});

testAttack("a client tries wrong passwords without end", {
  needs: ["python3"],
  async args({ folder }) {
    await Deno.writeTextFile(`${folder}/users`, `joe:$2y$10$${"a".repeat(53)}\n`);
    return [`proxy://:0?auth=${folder}/users&name=it`];
  },
  // Modules and caches that each thread opens with its first password.
  async warmUp(server) {
    const logIn = async () => {
      using client = await server.connect("it");
      await send(client, Uint8Array.of(5, 1, 2, 1, 1, 97, 1, 98));
      assertEquals([...await readAll(client)], [5, 2, 1, 1]);
    };
    for (let round = 0; round < 3; round++) {
      await Promise.all(Array.from({ length: 8 }, logIn));
    }
  },
  async begin(server, stack) {
    const args = ["socks_passwords", `127.0.0.1:${await server.port("it")}`, "600"];
    stack.use(new Program(["python3", `${ROOT}tests/hostile/attack.py`, ...args]));
    await server.logs(/refused: wrong user or password/);
  },
});
