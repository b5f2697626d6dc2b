/**
 * A server that is a slow consumer delays neither the bus nor the other servers, and reports what
 * it lost.
 */
import { assert, assertEquals } from "@std/assert";
import { ChatClient, exchangeLines } from "../harness/chat_client.ts";
import { NatsServer } from "../harness/nats.ts";
import { freePort } from "../harness/ports.ts";
import { outlet, Program } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

const SPEC = "chat://:0?room=all";

/**
 * The setting of docs/rooms.md: NATS disconnects a client that takes nothing after 1 s instead of
 * 10 s.
 */
const CONFIG = `write_deadline: "1s"`;

/** More than the kernel and NATS together buffer for a client that does not read. */
const LINES = 6_000;
const PADDING = "x".repeat(3_500);

/** The send queue's limit: the same as a room keeps for retransmission. */
const QUEUE = 1024 * 1024;

testWith(
  ["nats-server"],
  "a suspended server does not delay the others, and reports what it lost when it continues",
  async () => {
    await using nats = await NatsServer.start({ config: CONFIG });
    await using one = await TestServer.open(SPEC, "--bus", nats.url);
    await using other = await TestServer.open(SPEC, "--bus", nats.url);
    const port = freePort();
    await using still = new Program(
      outlet("server", `chat://:${port}?room=all`, "--bus", nats.url),
    );
    await still.logs(/bus +connected/);
    using guests = new DisposableStack();
    const join = async (port: number) => guests.use(await ChatClient.join(port));
    const parts = [
      [await join(one.port()), await join(one.port())],
      [await join(other.port()), await join(other.port())],
    ];
    const carol = await join(port);
    for (const guest of [carol, ...parts.flat()]) await guest.countsMembers(5);

    still.signal("SIGSTOP");
    let queued = 0;
    const faults = await exchangeLines(parts, {
      lines: LINES,
      padding: PADDING,
      during() {
        for (const { server } of [one, other]) {
          queued = Math.max(queued, server.roomsStatus().buses[0]!.queued);
        }
      },
    });
    assertEquals(faults, []);
    assert(queued <= QUEUE, `${queued} bytes waited`);
    await nats.logs(/Slow Consumer/);
    for (const { server, events } of [one, other]) {
      assertEquals(events.filter(({ event }) => event === "bus-disconnected"), []);
      const { lost, dropped } = server.roomsStatus().buses[0]!.traffic;
      assertEquals([lost, dropped], [0, 0]);
    }

    still.signal("SIGCONT");
    await carol.receivesNotice(/^\* bus disconnected/);
    await carol.receivesNotice(/^\* bus connected again$/);
    const lost = () =>
      carol.notices.map((line) =>
        /^\* (\d+) messages from other servers were lost$/.exec(line)?.[1]
      )
        .reduce((sum, count) => sum + Number(count ?? 0), 0);
    await carol.until(() => carol.messages.length + lost() === LINES);
    assert(lost() > 0);
    for (const sender of ["0", "1"]) {
      const numbers = carol.messages.map((line) => line.split(/[> :]+/)).filter(([, s]) =>
        s === sender
      )
        .map(([, , number]) => Number(number));
      assert(numbers.length > 0);
      assertEquals(numbers, [...new Set(numbers)].toSorted((a, b) => a - b));
    }
  },
);
