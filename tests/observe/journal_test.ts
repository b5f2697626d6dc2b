import { assertEquals } from "@std/assert";
import { Journal } from "../../src/observe/journal.ts";
import type { OutletEvent } from "../../src/observe/events.ts";

const EVENT: OutletEvent = {
  event: "listening",
  outlet: "echo",
  address: { hostname: "127.0.0.1", port: 1 },
};

Deno.test("every listener hears of an event until it stops listening", () => {
  const journal = new Journal();
  const heard: string[] = [];
  const first = journal.subscribe(() => heard.push("first"));
  using _second = journal.subscribe(() => heard.push("second"));
  journal.publish(EVENT);
  first[Symbol.dispose]();
  journal.publish(EVENT);
  assertEquals(heard, ["first", "second", "second"]);
});

Deno.test("a listener that fails breaks neither the others nor whoever publishes", () => {
  const journal = new Journal();
  const complaint = console.error;
  let heard = 0;
  using _broken = journal.subscribe(() => {
    throw new Error("broken listener");
  });
  using _sound = journal.subscribe(() => heard++);
  try {
    console.error = () => {};
    journal.publish(EVENT);
  } finally {
    console.error = complaint;
  }
  assertEquals(heard, 1);
});
