/** An error that nothing catches ends no thread, and becomes an event. */
import { assertEquals } from "@std/assert";
import { run } from "../harness/program.ts";

const AT = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href);

/** Causes each kind of uncaught error, then prints the resulting events. */
const PROGRAM = `
import { EventBus } from ${AT("events/event_bus.ts")};
import { publishFaults } from ${AT("telemetry/faults.ts")};
import { TaskScope } from ${AT("scheduling/task_scope.ts")};

// However slow the machine is, what is printed here falls into one second.
performance.now = () => 0;
const eventBus = new EventBus();
const events = [];
eventBus.subscribe((event) => events.push(event));
publishFaults(eventBus);

const tasks = new TaskScope("a task", { consequence: "the rest goes on" });
Promise.reject(new Error("nobody awaits this"));
setTimeout(() => { throw new Error("nobody catches this"); });
tasks.run(Promise.reject(new Error("no space left on device")));
tasks.run(() => undefined.length);
for (let i = 0; i < 15; i++) console.log("printed %s", i, { a: 1 });
eventBus.subscribe(() => { throw new Error("a listener fails"); });
eventBus.publish({ event: "reloading" });
// Three uncaught errors and as many failed tasks; where one never comes, this process is killed.
const faults = () => events.filter(({ event }) => /^(unexpected-error|task-failed)$/.test(event));
while (faults().length < 6) await new Promise((resolve) => setTimeout(resolve));

const lines = events.map(({ event, stack, task, reason, text }) =>
  [event, stack?.[0] ?? task ?? text, reason].filter(Boolean).join(": ")
);
await Deno.stdout.write(new TextEncoder().encode(lines.join("\\n")));
`;

Deno.test("uncaught errors, failed tasks and output of libraries are published, and the process continues", async () => {
  const { code, stdout, stderr } = await run([Deno.execPath(), "eval", "--no-check", PROGRAM]);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.split("\n");
  assertEquals(lines.filter((line) => line.startsWith("library-output")).length, 10);
  assertEquals(lines.filter((line) => line.startsWith("unexpected-error")).toSorted(), [
    "unexpected-error: Error: nobody awaits this",
    "unexpected-error: Error: nobody catches this",
    "unexpected-error: TypeError: Cannot read properties of undefined (reading 'length')",
  ]);
  const failed = lines.filter((line) => line.startsWith("task-failed"));
  assertEquals(
    new Set(failed),
    new Set([
      "task-failed: a task: no space left on device",
      "task-failed: a task: Cannot read properties of undefined (reading 'length')",
      "task-failed: handling an event: a listener fails",
    ]),
  );
});
