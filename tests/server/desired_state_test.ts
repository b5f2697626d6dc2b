/** The differences between a new config and the current state. */
import { assertEquals } from "@std/assert";
import {
  bound,
  configured,
  type DesiredState,
  differences,
  nothingOpen,
} from "../../src/server/desired_state.ts";
import { configOf } from "../harness/server.ts";

/**
 * Each outlet after a change between these SPECs: `+` new, `=` unchanged, `~` takes over a socket.
 */
function changesBetween(before: string, after: string): { outlets: string[]; counts: string } {
  let last = 0;
  const number = () => ++last;
  const nothing = nothingOpen(configOf(["echo://:1"]));
  const there = listening(configured(configOf(splitSpecs(before)), { before: nothing, number }));
  const next = configured(configOf(splitSpecs(after)), { before: there, number });
  const outlets = next.outlets.map(({ id, config, takesOver, address }) => {
    const mark = takesOver !== undefined ? `~${takesOver} ` : address ? "=" : "+";
    return `${mark}${id} ${config.service}`;
  });
  const { opened, closed, changed } = differences(there, next);
  return { outlets, counts: `${opened} opened, ${closed} closed, ${changed} changed` };
}

function listening(state: DesiredState): DesiredState {
  return bound(state, new Map(state.outlets.map(({ id, config }) => [id, config.listen])));
}

function splitSpecs(text: string): string[] {
  return text.split(" ");
}

for (
  const [sentence, before, after, outlets, counts] of [
    [
      "an outlet with the same service and address is the same outlet, with changed options",
      "echo://:1 chat://:2?room=a",
      "chat://:2?room=b&rate=3 echo://:1",
      ["=2 chat", "=1 echo"],
      "0 opened, 0 closed, 1 changed",
    ],
    [
      "a missing outlet is closed, and a new one is opened",
      "echo://:1 chat://:2",
      "chat://:2 time://:3",
      ["=2 chat", "+3 time"],
      "1 opened, 1 closed, 0 changed",
    ],
    [
      "another service at the same address is a new outlet, which takes over the socket",
      "echo://:1",
      "time://:1",
      ["~1 2 time"],
      "1 opened, 1 closed, 0 changed",
    ],
    [
      "another host with the same port is a new outlet with a new socket",
      "time://127.0.0.1:1",
      "time://0.0.0.0:1",
      ["+2 time"],
      "1 opened, 1 closed, 0 changed",
    ],
    [
      "a changed backlog needs a new socket",
      "time://:1?backlog=5",
      "time://:1?backlog=6",
      ["+2 time"],
      "1 opened, 1 closed, 0 changed",
    ],
    [
      "with port 0, an outlet of another service gets a new port",
      "echo://:0 chat://:0",
      "chat://:0 time://:0",
      ["=2 chat", "+3 time"],
      "1 opened, 1 closed, 0 changed",
    ],
    [
      "services that swap addresses take over each other's sockets",
      "echo://:1 time://:2",
      "time://:1 echo://:2",
      ["~1 3 time", "~2 4 echo"],
      "2 opened, 2 closed, 0 changed",
    ],
  ] as const
) {
  Deno.test(sentence, () => {
    assertEquals(changesBetween(before, after), { outlets: [...outlets], counts });
  });
}
