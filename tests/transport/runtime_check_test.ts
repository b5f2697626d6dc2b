import { assertThrows } from "@std/assert";
import { EventEmitter } from "node:events";
import { createServer as http } from "node:http";
import { createServer as tls } from "node:tls";
import { refuseOldRuntime } from "../../src/transport/runtime_check.ts";

Deno.test("a runtime whose HTTP server does not take an accepted connection is refused, and this one is not", () => {
  for (const server of [http(), tls()]) refuseOldRuntime(server, "metrics");
  assertThrows(
    () => refuseOldRuntime(new EventEmitter(), "metrics"),
    Error,
    "is too old for metrics: compile it with Deno 2.9 or newer",
  );
});
