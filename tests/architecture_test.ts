/**
 * The layering of `src/`: a file imports only from its own floor or a lower one, without cycles.
 */
import { assertEquals } from "@std/assert";
import ts from "typescript";

const ROOT = new URL("../", import.meta.url).pathname;

/**
 * The floors, lowest first. A file belongs to the floor of the longest path that it begins with.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["src/options/", "src/scheduling/", "src/trace/"],
  ["src/endpoint/", "src/terminal/"],
  ["src/events/", "src/transport/"],
  ["src/admission/", "src/connection/", "src/faults/"],
  ["src/chat/", "src/outlet/", "src/script/"],
  ["src/services/", "src/telemetry/"],
  ["src/config/"],
  ["src/cli/", "src/client/", "src/server/", "src/trace.ts"],
  ["src/client.ts", "src/server.ts", "src/console/"],
  ["src/library/", "src/workers/"],
  ["src/app/"],
  ["main.ts"],
];

/** What services must not import. */
const BEHIND_SERVICES = [
  "src/config/",
  "src/cli/",
  "src/console/",
  "src/outlet/",
  "src/admission/",
  "src/events/event_bus.ts",
  "src/telemetry/",
];

Deno.test("imports go to the same or a lower floor, never to a higher one", async () => {
  const wrong = (await imports()).filter(({ from, to }) => floorOf(to) > floorOf(from));
  assertEquals(wrong.map(({ from, to }) => `${from} must not import ${to}`), []);
});

Deno.test("no files import each other in a cycle", async () => {
  const edges = Map.groupBy(await imports(), ({ from }) => from);
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) throw new Error(`a circle: ${[...path, file].join(" → ")}`);
    if (done.has(file)) return;
    for (const { to } of edges.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
});

Deno.test("services import nothing of outlets, admission, config, log or console", async () => {
  const wrong = (await imports()).filter(({ from, to }) =>
    from.startsWith("src/services/") && BEHIND_SERVICES.some((path) => to.startsWith(path))
  );
  assertEquals(wrong, []);
});

Deno.test("buses and workers are only imported dynamically, so without them none of their modules is loaded", async () => {
  const bus =
    /^src\/(workers\/\w+|chat\/(bus_manager|bus_link|publisher|receive_queue|room_channel|remote_servers?|retransmit_buffer|wire|bus\/(broadcast_bus|nats_\w+)))\.ts$/;
  const wrong: string[] = [];
  for (const file of await sources()) {
    if (bus.test(file)) continue;
    const text = await Deno.readTextFile(ROOT + file);
    for (const [, path] of text.matchAll(/^import (?!type)[^;]*? from "(\.{1,2}\/[^"]+\.ts)";/gm)) {
      const to = new URL(path!, `file://${ROOT}${file}`).pathname.slice(ROOT.length);
      if (bus.test(to)) wrong.push(`${file} imports ${to}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("only main.ts uses arguments, signals and the exit of the process", async () => {
  const wrong: string[] = [];
  for (const file of await sources()) {
    const text = await Deno.readTextFile(ROOT + file);
    if (file !== "main.ts" && /\bDeno\.(exit|args|addSignalListener)\b/.test(text)) {
      wrong.push(file);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("nothing is written with console or synchronous writes, which can block the process", async () => {
  const wrong: string[] = [];
  for (const file of await sources()) {
    const text = await Deno.readTextFile(ROOT + file);
    if (
      /\bconsole\.(log|error|warn|info|debug|trace|table|dir)\(|\bwriteSync\(|\bprocess\.std(out|err)\b/
        .test(text)
    ) wrong.push(file);
  }
  assertEquals(wrong, []);
});

/**
 * Files that open a socket and are no transport: sd_notify's datagrams, and a socket pair for a
 * program.
 */
const OTHER_SOCKETS = ["src/telemetry/systemd.ts", "src/services/exec/socket_pair.ts"];

Deno.test("every listening socket and every outgoing connection is opened in transport/", async () => {
  const wrong: string[] = [];
  for (const file of await sources()) {
    if (file.startsWith("src/transport/") || OTHER_SOCKETS.includes(file)) continue;
    const text = await Deno.readTextFile(ROOT + file);
    const isOther = /\bDeno\.(listen|connect)|^import (?!type)[^;]* from "node:(net|tls|http)"/m;
    if (isOther.test(text)) wrong.push(file);
  }
  assertEquals(wrong, []);
});

const LIMITS = { file: 250, function: 40 };

Deno.test("no file has over 250 lines, and no function over 40", async () => {
  const files: string[] = [];
  const functions: string[] = [];
  for (const file of await everyFile()) {
    const text = await Deno.readTextFile(ROOT + file);
    if (text.split("\n").length - 1 > LIMITS.file) files.push(file);
    if (/\.[jt]s$/.test(file)) {
      functions.push(...longFunctions(file, text).map((name) => `${file}: ${name}`));
    }
  }
  assertEquals([...files, ...functions], []);
});

/** The names of functions of over 40 lines, docstrings not counted. */
function longFunctions(file: string, text: string): string[] {
  const found: string[] = [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const lineAt = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      const lines = lineAt(node.getEnd()) - lineAt(node.getStart()) + 1;
      const { name } = ts.isArrowFunction(node) ? node.parent as ts.VariableDeclaration : node;
      if (lines > LIMITS.function) found.push(name?.getText() ?? "a function without a name");
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

// The linter finds unused variables, but no unused members. TypeScript's own check (noUnusedLocals)
// would find them, but it also rejects every example in a docstring, because `deno test --doc`
// imports all exports of the module.
Deno.test("no private member is declared and never used", async () => {
  const wrong: string[] = [];
  for (const file of await sources()) {
    const text = await Deno.readTextFile(ROOT + file);
    const declared = text.matchAll(/^ +(?:(?:static|readonly|async|get|set) |\*)*(#\w+)/gm);
    for (const name of new Set([...declared].map(([, name]) => name!))) {
      if (text.match(new RegExp(`${name}\\b`, "g"))!.length < 2) wrong.push(`${file}: ${name}`);
    }
  }
  assertEquals(wrong, []);
});

function floorOf(file: string): number {
  const matches = FLOORS.flatMap((paths, floor) =>
    paths.filter((path) => file.startsWith(path)).map((path) => ({ floor, length: path.length }))
  );
  const best = matches.toSorted((a, b) => b.length - a.length)[0];
  if (!best) throw new Error(`${file} stands on no floor: say in this test where it belongs`);
  return best.floor;
}

async function imports(): Promise<{ from: string; to: string }[]> {
  const found: { from: string; to: string }[] = [];
  for (const from of await sources()) {
    const text = await Deno.readTextFile(ROOT + from);
    for (const [, path] of text.matchAll(/(?:from|import)[\s(]+"(\.{1,2}\/[^"]+\.ts)"/g)) {
      const to = new URL(path!, `file://${ROOT}${from}`).pathname.slice(ROOT.length);
      found.push({ from, to });
    }
  }
  return found;
}

async function sources(): Promise<string[]> {
  return ["main.ts", ...(await everyFile()).filter((file) => file.endsWith(".ts"))];
}

async function everyFile(folder = "src/"): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
    if (isDirectory) files.push(...await everyFile(`${folder}${name}/`));
    else files.push(folder + name);
  }
  return files;
}
