/**
 * Fan-out to thousands of members is done in turns, which changes nothing in what each receives.
 */
import { assert, assertEquals } from "@std/assert";
import type { Subscriber } from "../../src/chat/backpressure.ts";
import { FanOut } from "../../src/chat/fan_out.ts";
import { nextTurn } from "../../src/scheduling/turn_budget.ts";
import { TurnCounter } from "../harness/turn_counter.ts";

/** The maximum number of members that are sent to in one turn of the event loop. */
const MAX_SENDS_PER_TURN = 256;

class Listener {
  readonly lines: string[] = [];
  readonly subscriber: Subscriber;

  constructor(sent: () => void = () => {}) {
    this.subscriber = {
      send: (bytes) => {
        this.lines.push(...new TextDecoder().decode(bytes).match(/.*\n/g)!);
        sent();
      },
      isClosed: false,
      waiting: 0,
      caughtUp: () => Promise.resolve(),
      disconnect: () => {},
    };
  }
}

function line(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\n`);
}

Deno.test("a line is sent to 10,000 members in turns, and the event loop runs other work in between", async () => {
  using counter = new TurnCounter();
  const fanOut = new FanOut<Listener>();
  const members = Array.from({ length: 10_000 }, () => new Listener(counter.add));
  for (const member of members) fanOut.addMember(member);
  fanOut.add(line("hello"));
  await fanOut.flush();
  await nextTurn();
  assert(members.every(({ lines }) => lines.join("") === "hello\n"));
  // A timer may miss some turns, but not most of them.
  assert(counter.turns > 10_000 / MAX_SENDS_PER_TURN / 4, `${counter.turns} turns`);
  assert(counter.longest < 4 * MAX_SENDS_PER_TURN, `${counter.longest} in one turn`);
});

Deno.test("while members join, leave, speak and are answered, each receives every line of its time once, in order, except its own", async () => {
  const fanOut = new FanOut<Listener>();
  const present = new Map<Listener, string[]>();
  const all: [Listener, string[]][] = [];
  let random = 7;
  const upTo = (n: number) => (random = random * 48271 % 2147483647) % n;
  const anyone = () => [...present.keys()][upTo(present.size)]!;
  const join = () => {
    const listener = new Listener();
    const expected: string[] = [];
    present.set(listener, expected);
    all.push([listener, expected]);
    fanOut.addMember(listener);
  };
  const say = (text: string, sender?: Listener) => {
    for (const [member, due] of present) if (member !== sender) due.push(`${text}\n`);
    fanOut.add(line(text), sender);
  };
  for (let i = 0; i < 400; i++) join();
  for (let i = 0; i < 1_000; i++) {
    const speaker = anyone();
    switch (upTo(8)) {
      case 0:
        join();
        say(`${i} came`, all.at(-1)![0]);
        break;
      case 1:
        fanOut.removeMember(speaker);
        present.delete(speaker);
        say(`${i} left`);
        break;
      case 2:
        fanOut.catchUp(speaker);
        assertEquals(speaker.lines.length, present.get(speaker)!.length);
        break;
      case 3:
        await nextTurn();
        break;
      default:
        say(`${i} said`, speaker);
    }
  }
  await fanOut.flush();
  for (const [{ lines }, due] of all) assertEquals(lines, due);
});

Deno.test("lines sent at the same time are written in batches of at most 64 KiB", async () => {
  const fanOut = new FanOut<Listener>();
  const sizes: number[] = [];
  const member = new Listener();
  fanOut.addMember({
    ...member,
    subscriber: { ...member.subscriber, send: (bytes) => void sizes.push(bytes.length) },
  } as Listener);
  for (let i = 0; i < 10_000; i++) fanOut.add(line("x".repeat(40)));
  await fanOut.flush();
  assertEquals(sizes.reduce((sum, size) => sum + size), 10_000 * 41);
  assert(sizes.every((size) => size <= 64 * 1024));
});

Deno.test("an error while sending to one member does not keep others from receiving the line", async () => {
  const fanOut = new FanOut<Listener>();
  const [before, after] = [new Listener(), new Listener()];
  const failing = new Listener(() => {
    throw new Error("it fails, as a test wants it");
  });
  for (const member of [before, failing, after]) fanOut.addMember(member);
  fanOut.add(line("hello"));
  const prevent = (event: ErrorEvent) => event.preventDefault();
  globalThis.addEventListener("error", prevent);
  await fanOut.flush();
  globalThis.removeEventListener("error", prevent);
  assertEquals([before.lines, after.lines], [["hello\n"], ["hello\n"]]);
});

Deno.test("waiting for a pass ends when the last member leaves before it", async () => {
  const fanOut = new FanOut<Listener>();
  const member = new Listener();
  fanOut.addMember(member);
  for (let i = 0; i < 4; i++) fanOut.add(line("x".repeat(60_000)));
  const flushed = fanOut.flush();
  const ready = fanOut.ready();
  fanOut.removeMember(member);
  await Promise.all([flushed, ready]);
  assertEquals(member.lines.length, 4);
});

Deno.test("a line that is added just as the last pass ends is sent, too", async () => {
  const fanOut = new FanOut<Listener>();
  let added = false;
  // The last member of more than fit in one turn: its departure, for example, is announced.
  const last = new Listener(() => {
    if (!added) queueMicrotask(() => fanOut.add(line("second")));
    added = true;
  });
  const members = [...Array.from({ length: MAX_SENDS_PER_TURN + 1 }, () => new Listener()), last];
  for (const member of members) fanOut.addMember(member);
  fanOut.add(line("first"));
  await fanOut.flush();
  for (let turn = 0; last.lines.length < 2 && turn < 1_000; turn++) await nextTurn();
  assert(members.every(({ lines }) => lines.join("") === "first\nsecond\n"));
});
