/** All work that nobody awaits runs in a task scope. */
import { assertEquals } from "@std/assert";
import { ROOT } from "../harness/program.ts";
import { type CheckedSource, checkSource } from "../harness/type_checker.ts";
import { findUnscoped } from "../harness/unscoped.ts";

const CASES = `
import { TaskScope } from "./src/scheduling/task_scope.ts";
import { createServer } from "node:net";
const tasks = new TaskScope("a", { consequence: "b" });
async function work() {}
declare const maybe: boolean, target: EventTarget, thread: Worker;
const { promise, resolve, reject } = Promise.withResolvers<number>();
/* Homes */
await work();
tasks.run(work());
setTimeout(tasks.guard(work), 1);
setTimeout(resolve, 1);
setTimeout(() => reject(maybe), 1);
const late = new Promise<void>((done) => setTimeout(done, 1));
const settle = () => reject(new Error("late"));
setTimeout(settle, 1);
target.addEventListener("x", tasks.guard(() => work()));
createServer().on("error", tasks.guard((error) => error.message)).on("close", reject);
thread.onmessage = tasks.guard(() => {});
let kept = work();
kept = work();
/* None */
work();
void work();
maybe && work();
work().catch(() => {});
work().finally(() => {});
(async () => {})();
setTimeout(() => {}, 1);
setTimeout(work, 1);
setInterval(() => resolve(Number("x")), 1);
queueMicrotask(() => {});
target.addEventListener("x", () => {});
createServer().once("error", () => {});
Deno.addSignalListener("SIGINT", () => {});
thread.onmessage = () => {};
[1].forEach(async () => {});
(JSON.parse("") as any)();
setTimeout((() => {}) as unknown as ReturnType<TaskScope["guard"]>, 1);
`;

Deno.test("work outside of a task scope is found, and work inside of one is not", async () => {
  const source = await checked();
  const lines = CASES.split("\n");
  const none = lines.indexOf("/* None */");
  const expected = lines.slice(none + 1).filter((line) => line !== "");
  const found = findUnscoped(source).filter((line) => line.startsWith("cases.ts")).map((line) =>
    lines[Number(/:(\d+)/.exec(line)![1]) - 1]!
  );
  assertEquals([...new Set(found)], expected);
});

Deno.test("every timer, listener and background promise runs in a task scope", async () => {
  const found = findUnscoped(await checked());
  assertEquals(found.filter((line) => !line.startsWith("cases.ts")), []);
});

let source: Promise<CheckedSource> | undefined;

/** The source and the test cases, type-checked once for all tests. */
function checked(): Promise<CheckedSource> {
  const paths = ["cases.ts", "main.ts", ...sources("src")];
  return source ??= checkSource(paths, new Map([["cases.ts", CASES]]));
}

function sources(folder: string): string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return sources(path);
    return name.endsWith(".ts") ? [path] : [];
  });
}
