/** Deadlines with a simulated clock. */
import { assertEquals } from "@std/assert";
import type { Connection } from "../../src/connection/connection.ts";
import { type Deadlines, Sweeper } from "../../src/connection/deadlines.ts";

/** The part of a connection that deadlines look at. */
class TestConnection {
  readonly openedAt = performance.now();
  bytesIn = 0;
  bytesOut = 0;
  writing = false;
  halfClosed = false;
  sink: Connection["sink"];
  unacknowledged: number | undefined;
  reason: string | undefined;
  reset(reason: string): void {
    this.close(reason);
  }
  close(reason: string): void {
    this.reason ??= reason;
  }
}

/** When and why a connection is closed, in seconds, if `live` is called once a second. */
function closeReason(
  deadlines: Deadlines,
  live: (connection: TestConnection, second: number) => void,
): string {
  const connection = new TestConnection();
  const sweeper = new Sweeper(deadlines);
  using _ = sweeper.watch(connection as unknown as Connection);
  const start = Math.ceil(performance.now());
  for (let second = 1; second <= 100; second++) {
    live(connection, second);
    sweeper.sweep(start + second * 1000);
    if (connection.reason !== undefined) return `${connection.reason} at ${second}`;
  }
  return "alive";
}

Deno.test("a silent connection is closed after idle", () => {
  assertEquals(closeReason({ idle: 10_000 }, () => {}), "idle at 10");
});

Deno.test("bytes in either direction restart idle", () => {
  const quietFrom30 = (connection: TestConnection, second: number) => {
    if (second <= 30 && second % 2 === 0) connection.bytesIn++;
    else if (second <= 30) connection.bytesOut++;
  };
  assertEquals(closeReason({ idle: 10_000 }, quietFrom30), "idle at 40");
});

Deno.test("a pending write without progress does not restart idle", () => {
  assertEquals(closeReason({ idle: 10_000 }, (c) => void (c.writing = true)), "idle at 10");
});

Deno.test("a peer that takes nothing is closed after write, even if it sends", () => {
  const sendsOnly = (connection: TestConnection) => {
    connection.writing = true;
    connection.bytesIn++;
  };
  assertEquals(closeReason({ write: 10_000, idle: 10_000 }, sendsOnly), "write timeout at 10");
});

Deno.test("write starts when a write is pending", () => {
  const writesFrom50 = (c: TestConnection, second: number) => void (c.writing = second >= 50);
  assertEquals(closeReason({ write: 10_000 }, writesFrom50), "write timeout at 59");
});

Deno.test("a slow reader that takes some bytes before each write deadline is not closed", () => {
  const takesLittle = (connection: TestConnection, second: number) => {
    connection.writing = true;
    if (second % 9 === 0) connection.bytesOut++;
  };
  assertEquals(closeReason({ write: 10_000 }, takesLittle), "alive");
});

Deno.test("lifetime closes a connection even if it is active", () => {
  assertEquals(closeReason({ lifetime: 20_000 }, (c) => void c.bytesIn++), "lifetime at 20");
});

Deno.test("a half-closed connection that is silent is closed after fin", () => {
  const endsAt40 = (c: TestConnection, second: number) => void (c.halfClosed = second >= 40);
  assertEquals(closeReason({ fin: 10_000 }, endsAt40), "fin timeout at 49");
});

Deno.test("a half-closed connection with traffic is not closed by fin", () => {
  const answers = (connection: TestConnection) => {
    connection.halfClosed = true;
    connection.bytesOut++;
  };
  assertEquals(closeReason({ fin: 10_000 }, answers), "alive");
});

Deno.test("a byte every few seconds restarts idle, and not lifetime", () => {
  const slowly = (c: TestConnection, second: number) => void (second % 3 === 0 && c.bytesIn++);
  assertEquals(closeReason({ idle: 10_000, lifetime: 50_000 }, slowly), "lifetime at 50");
});

Deno.test("a deadline of 0 is off", () => {
  assertEquals(closeReason({ idle: 0, write: 0 }, () => {}), "alive");
});

Deno.test("each connection has deadlines of its own", () => {
  const [idle, busy] = [new TestConnection(), new TestConnection()];
  const sweeper = new Sweeper({ idle: 1000 });
  using _watch = sweeper.watch(idle as unknown as Connection);
  using _busy = sweeper.watch(busy as unknown as Connection);
  const start = Math.ceil(performance.now());
  for (let later = 100; later <= 1500; later += 100) {
    busy.bytesIn++;
    sweeper.sweep(start + later);
  }
  assertEquals([idle.reason, busy.reason], ["idle", undefined]);
});

for (
  const [deadline, word] of [["idle", "idle"], ["write", "write timeout"], ["fin", "fin timeout"]]
) {
  Deno.test(`time in which the process was suspended does not count: ${deadline}`, () => {
    const connection = Object.assign(new TestConnection(), { writing: true, halfClosed: true });
    const sweeper = new Sweeper({ [deadline!]: 5_000 });
    using _ = sweeper.watch(connection as unknown as Connection);
    const start = Math.ceil(performance.now());
    sweeper.sweep(start + 500);
    sweeper.sweep(start + 60_500);
    assertEquals(connection.reason, undefined, "it could not be heard for a minute");
    for (let later = 61_000; later <= 64_000; later += 500) sweeper.sweep(start + later);
    assertEquals(connection.reason, undefined, "only what was looked at counts");
    sweeper.sweep(start + 64_500);
    assertEquals(connection.reason, word);
  });
}

Deno.test("lifetime includes time in which the process was suspended", () => {
  const connection = new TestConnection();
  const sweeper = new Sweeper({ lifetime: 5_000 });
  using _ = sweeper.watch(connection as unknown as Connection);
  sweeper.sweep(Math.ceil(performance.now()) + 60_000);
  assertEquals(connection.reason, "lifetime");
});

Deno.test("an upstream or a program that takes nothing is closed after write, as a client is", () => {
  for (const name of ["upstream", "program"] as const) {
    const flow = { writing: true, bytesOut: 0, unacknowledged: undefined };
    const takesUntil30 = (connection: TestConnection, second: number) => {
      connection.sink = { name, flow };
      connection.bytesIn++;
      if (second <= 30 && second % 9 === 0) flow.bytesOut++;
    };
    assertEquals(closeReason({ write: 10_000 }, takesUntil30), `${name} write timeout at 37`);
  }
});

Deno.test("a peer that acknowledges bytes of the kernel's send buffer is not closed, even if no write completes", () => {
  const queued = (until: number) => (connection: TestConnection, second: number) => {
    connection.writing = true;
    connection.unacknowledged = 4_000_000 - 1_000 * Math.min(second, until);
  };
  assertEquals(closeReason({ write: 10_000 }, queued(Infinity)), "alive");
  assertEquals(closeReason({ idle: 10_000 }, queued(Infinity)), "alive");
  // It is sampled after half of the time and after all of it, so progress is known to within that.
  assertEquals(closeReason({ write: 10_000 }, queued(42)), "write timeout at 60");
});

Deno.test("an upstream's acknowledgements count as progress, as a client's do", () => {
  const flow = { writing: true, bytesOut: 0, unacknowledged: 4_000_000 };
  const taking = (connection: TestConnection) => {
    connection.sink = { name: "upstream", flow };
    flow.unacknowledged--;
  };
  assertEquals(closeReason({ write: 10_000 }, taking), "alive");
});
