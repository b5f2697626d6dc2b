/**
 * The modules that each mode loads: only those that it needs, because they determine the time to
 * start.
 */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "./harness/program.ts";

/** A module in the output of `deno info --json`. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly isDynamic?: boolean;
    readonly code?: { readonly specifier?: string };
  }[];
}

/** All modules that are loaded before a module runs, by path or by specifier. */
async function loadedWith(file: string): Promise<Set<string>> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", file],
    cwd: ROOT,
    stderr: "null",
  }).output();
  const { modules }: { modules: readonly Module[] } = JSON.parse(new TextDecoder().decode(stdout));
  const byName = new Map(modules.map((module) => [module.specifier, module]));
  const found = new Set<string>();
  const visit = (specifier: string): void => {
    const name = specifier.replace(`file://${ROOT}`, "");
    if (found.has(name)) return;
    found.add(name);
    for (const { isDynamic, code } of byName.get(specifier)?.dependencies ?? []) {
      if (!isDynamic && code?.specifier !== undefined) visit(code.specifier);
    }
  };
  visit(`file://${ROOT}${file}`);
  return found;
}

function among(loaded: ReadonlySet<string>, pattern: RegExp): string[] {
  return [...loaded].filter((name) => pattern.test(name));
}

Deno.test("signal listeners are installed before anything is loaded", async () => {
  assertEquals([...await loadedWith("main.ts")], ["main.ts", "src/scheduling/task_scope.ts"]);
});

Deno.test("help and the version load no mode, no service, no option and no Node module", async () => {
  const loaded = await loadedWith("src/cli/args.ts");
  assertEquals(
    among(
      loaded,
      /^node:|^src\/(services|connection|transport|outlet|admission|config|chat|app\/run_)/,
    ),
    [],
  );
  assert(loaded.size < 20, [...loaded].join("\n"));
});

Deno.test("a server loads console, metrics, NATS, TLS, trace, config file and workers only where used", async () => {
  const loaded = await loadedWith("src/app/run_server.ts");
  assertEquals(
    among(loaded, /prom-client|zod|nats|selfsigned|preact|^src\/(workers|console)\//),
    [],
  );
  assertEquals(
    among(loaded, /^src\/(transport\/tls\/accept|chat\/(bus_manager|bus_link)|telemetry\/metrics)/),
    [],
  );
  // Only an operator's terminal needs Node modules.
  assertEquals(among(loaded, /^node:/), []);
  // CommonJS loads all of Node's module loader, which doubles the time to start.
  assertEquals(among(loaded, /^npm:\/(ipaddr|prom-client|bintrees)/), []);
});

Deno.test("a server that runs programs or forwards loads nothing heavy until a client needs it", async () => {
  const loaded = await loadedWith("src/services/registry.ts");
  assertEquals(among(loaded, /^node:/), []);
});

Deno.test("the arguments of a server are parsed without any Node module", async () => {
  assertEquals(among(await loadedWith("src/cli/server_args.ts"), /^node:/), []);
});

Deno.test("a client loads no services", async () => {
  const loaded = await loadedWith("src/app/run_client.ts");
  assertEquals(among(loaded, /^src\/services\/|zod|prom-client/), []);
});
