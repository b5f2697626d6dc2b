/** Errors of work that nobody awaits are reported by its task scope. */
import { assertEquals } from "@std/assert";
import { handledElsewhere, onTaskFault, TaskScope } from "../../src/scheduling/task_scope.ts";

/** The faults that are reported during `work`. */
async function faultsDuring(work: () => unknown): Promise<string[]> {
  const faults: string[] = [];
  onTaskFault(({ task, consequence, error }) => faults.push(`${task}: ${error}: ${consequence}`));
  await work();
  await new Promise((resolve) => setTimeout(resolve));
  onTaskFault(({ error }) => reportError(error));
  return faults;
}

const tasks = new TaskScope("a task", { consequence: "the rest goes on" });

Deno.test("an error of a guarded callback is reported and not thrown", async () => {
  const reported = await faultsDuring(() => {
    tasks.guard((word: string) => {
      throw new Error(word);
    })("no");
  });
  assertEquals(reported, ["a task: Error: no: the rest goes on"]);
});

Deno.test("a rejection of an async callback or a promise is reported", async () => {
  const reported = await faultsDuring(() => {
    tasks.guard(() => Promise.reject(new Error("one")))();
    tasks.run(Promise.reject(new Error("two")));
    tasks.run(async () => {
      await Promise.resolve();
      throw new Error("three");
    });
  });
  assertEquals(reported.toSorted(), [
    "a task: Error: one: the rest goes on",
    "a task: Error: three: the rest goes on",
    "a task: Error: two: the rest goes on",
  ]);
});

Deno.test("a guarded timer and a guarded listener continue after a fault", async () => {
  const target = new EventTarget();
  const reported = await faultsDuring(() => {
    target.addEventListener("x", tasks.guard(({ type }: Event) => Promise.reject(type)));
    target.dispatchEvent(new Event("x"));
    target.dispatchEvent(new Event("x"));
  });
  assertEquals(reported.length, 2);
});

Deno.test("a promise that is handled elsewhere still rejects where it is awaited", async () => {
  const promise = Promise.reject(new Error("late"));
  handledElsewhere(promise);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(await promise.catch(String), "Error: late");
});

Deno.test("a fault of the reporter is not reported", async () => {
  let calls = 0;
  await faultsDuring(() => {
    onTaskFault(() => {
      calls++;
      tasks.fail(new Error("again"));
      throw new Error("worse");
    });
    tasks.fail(new Error("first"));
  });
  assertEquals(calls, 1);
});
