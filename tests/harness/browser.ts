/**
 * A real browser: Debian's Chromium, controlled through playwright-core.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { ROOT } from "./program.ts";

/** The directory for screenshots, for review by people. */
const OUTPUT = `${ROOT}tests/e2e/output`;

/** Time limit for a change of a page, in milliseconds. */
const TIME_LIMIT = 30_000;

const ARGS = [
  "--no-sandbox",
  "--headless",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Width and height in pixels, and the colour scheme. */
export interface Appearance {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
}

const APPEARANCES: readonly Appearance[] = [
  { width: 1280, height: 860, scheme: "light" },
  { width: 1280, height: 860, scheme: "dark" },
  { width: 390, height: 844, scheme: "light" },
  { width: 390, height: 844, scheme: "dark" },
];

/** A browser window, and all errors of its page. */
export class BrowserWindow implements AsyncDisposable {
  readonly page: Page;
  /** Errors of scripts, and violations of the content security policy. */
  readonly errors: string[] = [];
  readonly #browser: Browser;
  readonly #context: BrowserContext;

  private constructor(browser: Browser, context: BrowserContext, page: Page) {
    this.#browser = browser;
    this.#context = context;
    this.page = page;
    page.on("pageerror", (error) => this.errors.push(String(error)));
    page.on("dialog", (dialog) => this.errors.push(`a dialog: ${dialog.message()}`));
    page.on("console", (message) => {
      // The browser reports every answer with an error status; the page displays those itself.
      const refused = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !refused) this.errors.push(message.text());
    });
  }

  static async open(): Promise<BrowserWindow> {
    const browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: ARGS,
      timeout: 2 * TIME_LIMIT,
    });
    const context = await browser.newContext({ reducedMotion: "reduce" });
    context.setDefaultTimeout(TIME_LIMIT);
    const window = new BrowserWindow(browser, context, await context.newPage());
    await window.setAppearance(APPEARANCES[0]!);
    return window;
  }

  /** Changes size and colour scheme. */
  async setAppearance({ width, height, scheme }: Appearance): Promise<void> {
    await this.page.setViewportSize({ width, height });
    await this.page.emulateMedia({ colorScheme: scheme });
  }

  /** Takes screenshots of a view, and asserts that it is never wider than the window. */
  async takeScreenshots(view: string): Promise<void> {
    await Deno.mkdir(OUTPUT, { recursive: true });
    for (const look of APPEARANCES) {
      await this.setAppearance(look);
      await this.page.screenshot({ path: `${OUTPUT}/${view}-${look.width}-${look.scheme}.png` });
      const wider = await this.page.evaluate("document.documentElement.scrollWidth - innerWidth");
      assertEquals([view, look.width, Math.max(0, Number(wider))], [view, look.width, 0]);
    }
    await this.setAppearance(APPEARANCES[0]!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    await this.#browser.close();
  }
}
