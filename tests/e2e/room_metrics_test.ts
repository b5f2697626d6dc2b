/** Metrics of rooms and buses, summed over all workers of a server. */
import { assert, assertMatch } from "@std/assert";
import { delay } from "@std/async/delay";
import { connect } from "@nats-io/transport-node";
import { subjectOf } from "../../src/chat/bus/nats_subject.ts";
import { ChatClient } from "../harness/chat_client.ts";
import { NatsServer } from "../harness/nats.ts";
import { freePort } from "../harness/ports.ts";
import { outlet, Program } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** How often the metrics are polled, in milliseconds, and how many times. */
const POLL = { pause: 100, times: 200 };

/** Lines sent while the bus is down: more than the 1 MiB of the send queue. */
const FLOOD = { lines: 400, length: 4_000 };

testWith(
  ["nats-server"],
  "metrics have members, messages, dropped messages and the bus's state",
  async () => {
    await using nats = await NatsServer.start();
    const [port, page] = [freePort(), freePort()];
    await using server = new Program(outlet(
      ...["server", `chat://:${port}?room=all`, "--workers", "2"],
      ...["--bus", nats.url, "--metrics", `127.0.0.1:${page}`],
    ));
    await server.logs(/ready/);
    await using other = await TestServer.open("chat://:0?room=all", "--bus", nats.url);
    await other.event("bus-connected");
    using ada = await ChatClient.join(port);
    using bob = await ChatClient.join(other.port());
    await ada.countsMembers(2);
    const bus = `{bus="${nats.url}"}`;
    const messages = (what: string) =>
      `outlet_bus_messages_total{bus="${nats.url}",what="${what}"}`;

    const before = await metrics(page, {
      "outlet_rooms": (value) => value === 1,
      [`outlet_room_members{room="all",where="here"}`]: (value) => value === 1,
      [`outlet_room_members{room="all",where="elsewhere"}`]: (value) => value === 1,
      [`outlet_bus_up${bus}`]: (value) => value === 1,
      [`outlet_bus_reconnects_total${bus}`]: (value) => value === 0,
      [messages("in")]: (value) => value > 0,
      [messages("out")]: (value) => value > 0,
      [messages("dropped")]: (value) => value === 0,
    });

    await ada.sendLine("one more");
    await bob.until(() => bob.messages.length === 1);
    await bob.sendLine("and back");
    await ada.until(() => ada.messages.length === 1);
    const publisher = await connect({ servers: nats.url });
    publisher.publish(subjectOf(["room", "all"]), "garbage");
    await publisher.drain();
    await metrics(page, {
      [messages("in")]: (value) => value > before(messages("in")),
      [messages("out")]: (value) => value > before(messages("out")),
      [messages("ignored")]: (value) => value > 0,
    });

    await nats.kill();
    await metrics(page, { [`outlet_bus_up${bus}`]: (value) => value === 0 });
    for (let i = 0; i < FLOOD.lines; i++) await ada.sendLine(`${i} ${"x".repeat(FLOOD.length)}`);
    await metrics(page, { [`outlet_bus_queued_bytes${bus}`]: (value) => value > 1_000_000 });
    await nats.start();
    const dropped = await ada.receivesNotice(
      /^\* \d+ messages were lost: the send queue was full$/,
    );
    const count = Number(/\d+/.exec(dropped)![0]);
    assert(count > 100 && count < FLOOD.lines);
    await metrics(page, {
      [`outlet_bus_up${bus}`]: (value) => value === 1,
      [`outlet_bus_reconnects_total${bus}`]: (value) => value === 1,
      [`outlet_bus_queued_bytes${bus}`]: (value) => value === 0,
      [messages("dropped")]: (value) => value >= count,
    });
    // The queued lines arrive at once, and disconnect no member that reads.
    assertMatch(
      await bob.receivesNotice(/from other servers were lost$/),
      new RegExp(`^\\* ${count} messages`),
    );
    await bob.until(() => bob.messages.length === 1 + FLOOD.lines - count);
  },
);

/** Polls the metrics until every value is as expected, and returns them. */
async function metrics(
  port: number,
  wanted: Record<string, (value: number) => boolean>,
): Promise<(name: string) => number> {
  let text = "";
  const valueOf = (name: string) =>
    Number(text.split("\n").find((line) => line.startsWith(`${name} `))?.split(" ").at(-1) ?? NaN);
  for (let times = 0; times < POLL.times; times++) {
    text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    if (Object.entries(wanted).every(([name, holds]) => holds(valueOf(name)))) return valueOf;
    await delay(POLL.pause);
  }
  throw new Error(
    `never was as wanted: ${Object.keys(wanted)}\n${
      text.match(/^outlet_(room|bus).*/gm)?.join("\n")
    }`,
  );
}
