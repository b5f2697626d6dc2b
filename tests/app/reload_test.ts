/** A reload is applied to the server and to all of its observers, or to none of them. */
import { assertEquals, assertMatch } from "@std/assert";
import { serve } from "../../src/app/serve.ts";
import { parseConfig } from "../../src/config/config_file.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { outlet, Program } from "../harness/program.ts";

/** A config with an outlet at this address. */
function configAt(listen: string, more: object = {}): string {
  return JSON.stringify({ outlets: [{ service: "echo", listen }], ...more });
}

Deno.test("prepared observers are committed after the server has changed, and rolled back if it refuses", async () => {
  const done: string[] = [];
  const stop = new AbortController();
  const eventBus = new EventBus();
  using _ = eventBus.subscribe(({ event }) => {
    if (event === "reloaded" || event === "rejected") done.push(event);
  });
  await serve(await parseConfig(configAt("127.0.0.1:0")), {
    signal: stop.signal,
    eventBus,
    changes: (async function* () {
      yield await parseConfig(configAt("203.0.113.9:0"));
      yield await parseConfig(configAt("127.0.0.1:0", { "max-connections": 5 }));
      stop.abort();
    })(),
    observers: [{
      prepare() {
        done.push("made ready");
        return Promise.resolve({
          commit: () => Promise.resolve(void done.push("holds")),
          [Symbol.asyncDispose]: () => Promise.resolve(void done.push("undone")),
        });
      },
    }],
  });
  assertEquals(done, ["made ready", "undone", "rejected", "made ready", "holds", "reloaded"]);
});

Deno.test("a refused reload does not change the log", async () => {
  await using folder = await TemporaryDirectory.make();
  const [config, log, other] = ["config", "log", "other"].map((name) => `${folder.path}/${name}`);
  const write = (listen: string, more: object) =>
    Deno.writeTextFile(config!, configAt(listen, { "log-format": "json", ...more }));
  await write("127.0.0.1:0", { "log-file": log });
  await using server = new Program(outlet("server", "--config", config!));
  const logged = async (path: string, pattern: RegExp) => {
    while (!pattern.test(await Deno.readTextFile(path).catch(() => ""))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await logged(log!, /"ready"/);
  await write("203.0.113.9:0", { "log-file": other, "log-level": "error" });
  await logged(log!, /"rejected"/);
  await write("127.0.0.1:0", { "log-file": other });
  await logged(other!, /"reloaded"/);
  server.signal("SIGTERM");
  assertEquals((await server.outcome()).code, 0);
  assertMatch(await Deno.readTextFile(other!), /"stopped"/);
});
