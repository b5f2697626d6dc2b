/** The console in a real browser. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Page } from "playwright-core";
import { BrowserWindow } from "../harness/browser.ts";
import { outlet, Program } from "../harness/program.ts";
import { testWith } from "../harness/tools.ts";

/** A peer's text with HTML and terminal escapes, which must be displayed as text. */
const HOSTILE_TEXT =
  `<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\x1b]0;owned\x07`;

testWith(["chromium", "ncat"], "the console works in a browser", async (t) => {
  await using server = new Program(outlet("server", "echo://:0", "--console", ":0"));
  const [, url] = await server.prints(/console at (\S+)\n/) as unknown as [string, string];
  const { origin, searchParams } = new URL(url);
  const [, echoPort] = (await server.logs(/listening echo on 127\.0\.0\.1:(\d+)/))!;
  await using browser = await BrowserWindow.open();
  const { page } = browser;

  await t.step(
    "without the token there is a form for it, and a wrong token is an error",
    async () => {
      await page.goto(origin);
      await page.getByLabel("Token").fill("wrong");
      await page.keyboard.press("Enter");
      await page.getByText("the token is wrong").waitFor();
      assertEquals(await page.getByRole("navigation").count(), 0);
    },
  );

  await t.step("the printed URL signs in, and the token is removed from the address", async () => {
    await page.goto(url);
    await page.getByRole("heading", { name: "Outlets" }).waitFor();
    assert(!page.url().includes(searchParams.get("token")!));
    assertEquals(await page.evaluate("document.cookie"), "");
  });

  await t.step(
    "an outlet is opened with the form, which shows errors at the fields that caused them",
    async () => {
      await page.getByLabel("Service").selectOption("discard");
      await page.getByLabel("Port", { exact: true }).fill(echoPort!);
      await page.getByRole("button", { name: "Start listening" }).click();
      assertMatch(
        (await page.locator("#port-about").filter({ hasText: "same address" }).textContent())!,
        /echo and discard have the same address,/,
      );
      await page.getByLabel("Port", { exact: true }).fill("0");
      await page.keyboard.press("Enter");
      await page.locator("tr[data-outlet]").nth(1).waitFor();
    },
  );

  await t.step("a client appears in the list, and is read, answered and closed", async () => {
    const address = await page.locator("tr[data-outlet]").nth(1).getAttribute("data-outlet");
    await using client = new Program(["ncat", "127.0.0.1", address!.split(":")[1]!]);
    await page.getByRole("link", { name: "Connections" }).click();
    const peer = page.getByRole("cell").getByRole("link").first();
    await peer.waitFor();
    await page.getByText("ESTABLISHED").first().waitFor();
    await peer.click();
    await image(page, "The handshake of connection");
    await page.getByRole("log", { name: "Sent and received data" }).waitFor();
    // Only bytes that arrive while the page taps the connection are shown, so they are sent until
    // they are.
    const message = page.getByText("<script>alert(1)</script>").first();
    const saying = setInterval(() => client.type(`${HOSTILE_TEXT}\n`).catch(() => {}), 200);
    await message.waitFor().finally(() => clearInterval(saying));
    assert((await message.textContent())!.includes("␛[31m␛]0;owned␇"));
    await page.locator(".segment", { hasText: "hex" }).click();
    await page.getByText("3c 73 63 72 69 70 74 3e").first().waitFor();
    await page.locator(".segment", { hasText: "text" }).click();
    await page.getByLabel("Data to send").fill("good\\x20day");
    await page.keyboard.press("Enter");
    await client.prints(/good day\n/);
    await browser.takeScreenshots("connection");
    await page.getByRole("button", { name: "Close", exact: true }).click();
    await page.getByText("closed: closed by the operator").waitFor();
    await client.end();
    await client.outcome();
  });

  await t.step("the client form connects, shows the ladder, and sends and receives", async () => {
    await page.getByRole("link", { name: "Client" }).click();
    await page.getByText("No connections").waitFor();
    await page.getByLabel("Host").fill("127.0.0.1");
    await page.getByLabel("Port").fill(echoPort!);
    await page.keyboard.press("Enter");
    await image(page, "The handshake with 127.0.0.1");
    await page.getByLabel("Data to send").fill("hello, echo");
    await page.keyboard.press("Enter");
    await page.locator(".piece-in", { hasText: "hello, echo" }).waitFor();
    await page.locator(".piece-out", { hasText: "hello, echo" }).waitFor();
    await browser.takeScreenshots("client");
    await page.getByRole("button", { name: "Close", exact: true }).click();
  });

  await t.step("a client that cannot connect shows the error and the handshake", async () => {
    await page.getByLabel("Port").fill("1");
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByText("cannot connect to 127.0.0.1:1: connection refused").waitFor();
    await image(page, "The handshake with 127.0.0.1:1");
  });

  await t.step(
    "of a thousand connections, only those in view are in the page",
    async () => {
      const clients = await connectMany(Number(echoPort), 1000);
      try {
        await page.getByRole("link", { name: "Connections" }).click();
        await page.getByText("1,000 open").waitFor();
        const rows = page.locator(".row-window [role=row]");
        await rows.nth(10).waitFor();
        assert(await rows.count() < 60);
        await browser.takeScreenshots("connections");
        const top = await rows.first().getByRole("link").first().innerText();
        await page.locator(".row-scroll").evaluate((element) => {
          element.scrollTop = element.scrollHeight;
        });
        const { port } = clients.at(-1)!.localAddr;
        await rows.filter({ hasText: top }).first().waitFor({ state: "detached" });
        await rows.nth(10).waitFor();
        assert(await rows.count() < 60);
        await page.getByLabel("Filter").fill(`127.0.0.1:${port}`);
        await page.getByText("1 of 1,000").waitFor();
        await page.getByRole("button", { name: "Close all matching" }).click();
        await page.getByText("No matches").waitFor();
        assertEquals(await clients.at(-1)!.read(new Uint8Array(1)), null);
      } finally {
        for (const client of clients) client.close();
      }
    },
  );

  await t.step("messages are counted, filtered and drawn", async () => {
    await page.getByRole("link", { name: "Messages" }).click();
    await page.locator("canvas").nth(2).waitFor();
    await page.getByRole("button", { name: /^refused|^opened/ }).first().waitFor();
    await page.getByLabel("Filter messages").fill("echo closed by the operator");
    await page.locator(".message").nth(1).waitFor({ state: "detached" });
    await page.locator(".message", { hasText: "closed by the operator" }).waitFor();
    await page.getByLabel("Filter messages").fill("");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: /^Resume/ }).click();
    await browser.takeScreenshots("messages");
  });

  await t.step(
    "outlets are stopped, and the page shows what to do when there are none",
    async () => {
      await page.getByRole("link", { name: "Outlets" }).click();
      await page.locator("tr[data-outlet]").nth(1).waitFor();
      await browser.takeScreenshots("outlets");
      for (const left of [1, 0]) {
        await page.getByRole("button", { name: "Stop now" }).first().click();
        await page.locator("tr[data-outlet]").nth(left).waitFor({ state: "detached" });
      }
      await page.getByText("No outlets").waitFor();
    },
  );

  assertEquals(browser.errors, []);
  server.signal("SIGTERM");
  const { code, stdout, stderr } = await server.outcome();
  assertEquals(code, 0);
  assert(!stderr.includes(searchParams.get("token")!), "the token is in the log");
  assertEquals(stdout.split("\n").length, 2);
});

/** The used part of the DOM's `HTMLImageElement`. */
interface Image {
  decode(): Promise<void>;
}

/** Waits for an image that has loaded. */
async function image(page: Page, alt: string): Promise<void> {
  const found = page.getByRole("img", { name: alt }).first();
  await found.waitFor();
  await found.evaluate((element) => (element as unknown as Image).decode());
}

/** Connects in groups of a hundred, so that no accept queue overflows, however short it is. */
async function connectMany(port: number, count: number): Promise<Deno.TcpConn[]> {
  const clients: Deno.TcpConn[] = [];
  while (clients.length < count) {
    const more = Array.from({ length: 100 }, () => Deno.connect({ hostname: "127.0.0.1", port }));
    clients.push(...await Promise.all(more));
  }
  return clients;
}
