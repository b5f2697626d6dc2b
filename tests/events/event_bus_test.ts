import { assertEquals } from "@std/assert";
import { EventBus } from "../../src/events/event_bus.ts";
import { onTaskFault } from "../../src/scheduling/task_scope.ts";
import type { OutletEvent } from "../../src/events/events.ts";

const EVENT: OutletEvent = {
  event: "listening",
  id: 1,
  outlet: "echo",
  address: { hostname: "127.0.0.1", port: 1 },
};

Deno.test("a subscriber receives every event until it unsubscribes", () => {
  const eventBus = new EventBus();
  const received: string[] = [];
  const first = eventBus.subscribe(() => received.push("first"));
  using _second = eventBus.subscribe(() => received.push("second"));
  eventBus.publish(EVENT);
  first[Symbol.dispose]();
  eventBus.publish(EVENT);
  assertEquals(received, ["first", "second", "second"]);
});

Deno.test("an error in a subscriber affects neither the others nor the publisher", () => {
  const eventBus = new EventBus();
  const faults: unknown[] = [];
  let count = 0;
  using _broken = eventBus.subscribe(() => {
    throw new Error("broken listener");
  });
  using _sound = eventBus.subscribe(() => count++);
  onTaskFault(({ error }) => faults.push(String(error)));
  try {
    eventBus.publish(EVENT);
  } finally {
    onTaskFault(({ error }) => reportError(error));
  }
  assertEquals(faults, ["Error: broken listener"]);
  assertEquals(count, 1);
});
