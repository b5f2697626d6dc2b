/**
 * Chat rooms in the console, in a real browser, with members in two workers and on another server.
 */
import { assert, assertEquals } from "@std/assert";
import { connect } from "@nats-io/transport-node";
import { encode } from "../../src/chat/wire.ts";
import { subjectOf } from "../../src/chat/bus/nats_subject.ts";
import { BrowserWindow } from "../harness/browser.ts";
import { ChatClient } from "../harness/chat_client.ts";
import { NatsServer } from "../harness/nats.ts";
import { freePort } from "../harness/ports.ts";
import { outlet, Program } from "../harness/program.ts";
import { TestServer } from "../harness/server.ts";
import { testWith } from "../harness/tools.ts";

/** A server name with HTML in it. */
const HOSTILE_NAME = `<img src=x onerror=alert(1)>`;

testWith(["chromium", "nats-server"], "the rooms of a server in a browser", async (t) => {
  await using nats = await NatsServer.start();
  const port = freePort();
  await using server = new Program(outlet(
    ...["server", `chat://:${port}?room=ops`, "chat://:0", "--workers", "2"],
    ...["--bus", nats.url, "--console", ":0"],
  ));
  await using other = await TestServer.open("chat://:0?room=ops", "--bus", nats.url);
  const [, url] = await server.prints(/console at (\S+)\n/) as unknown as [string, string];
  await server.logs(/ready/);
  await server.logs(/bus +connected/);
  await other.event("bus-connected");
  await using browser = await BrowserWindow.open();
  const { page } = browser;
  using guests = new DisposableStack();
  const join = async (port: number, name: string) => {
    const guest = guests.use(await ChatClient.join(port));
    await guest.sendLine(`/name ${name}`);
    await guest.receivesNotice(/^\* you are/);
    return guest;
  };
  const row = page.locator("tr[data-room=ops]");
  const bus = page.locator(`[data-bus="${nats.url}"]`);

  await t.step("a room is shown before it has members", async () => {
    await page.goto(url);
    await page.getByRole("link", { name: "Rooms", exact: true }).click();
    await row.getByText("no members").waitFor();
    await bus.getByText("connected").waitFor();
  });

  await t.step("members appear as they join, in any worker and on another server", async () => {
    for (const name of ["ada", "béa", "cy", "dot"]) await join(port, name);
    await row.filter({ hasText: "ada" }).filter({ hasText: "béa" }).waitFor();
    const bob = await join(other.port(), "bob");
    await bob.countsMembers(5);
    await row.filter({ hasText: "bob" }).filter({ hasText: "2 servers" }).waitFor();
    assertEquals(await row.locator("td").nth(1).innerText(), "4");
    assertEquals(await row.locator("td").nth(2).innerText(), "1");
    await browser.takeScreenshots("rooms");
  });

  await t.step("the loss and the return of a bus are shown", async () => {
    await nats.kill();
    await bus.getByText("reconnecting").waitFor();
    await nats.start();
    await bus.getByText("connected", { exact: true }).waitFor();
    await bus.locator("dl div", { hasText: /Reconnects\s*1$/ }).waitFor();
  });

  await t.step(
    "of hundreds of members, only those in view are in the page",
    async () => {
      const members = await Promise.all(
        Array.from({ length: 200 }, () => ChatClient.join(other.port())),
      );
      for (const guest of members) guests.use(guest);
      await row.getByText("193 more").waitFor();
      await row.getByRole("link", { name: "ops" }).click();
      await page.getByText("205 members").waitFor();
      const rows = page.locator(".row-window [role=row]");
      await rows.nth(10).waitFor();
      assert(await rows.count() < 60);
      await browser.takeScreenshots("room");
      await page.getByLabel("Filter").fill("bob");
      await page.getByText("1 of 205").waitFor();
      await rows.filter({ hasText: `${Deno.hostname()}/${Deno.pid}` }).waitFor();
    },
  );

  await t.step("HTML in a server's name is displayed as text", async () => {
    const publisher = await connect({ servers: nats.url });
    const about = { nodeId: "stranger0", server: HOSTILE_NAME, seq: 0, from: 1, part: 0, parts: 1 };
    const topic = subjectOf(["room", "ops"]);
    publisher.publish(topic, encode({ kind: "roster", ...about, members: [["mallory", 1]] }));
    await publisher.drain();
    await page.getByLabel("Filter").fill("mallory");
    await page.locator(".row-window").getByText(HOSTILE_NAME).waitFor();
  });

  assertEquals(browser.errors, []);
  guests.dispose();
  server.signal("SIGTERM");
  assertEquals((await server.outcome()).code, 0);
});
