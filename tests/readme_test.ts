/** The examples in README and docs, run as they are printed. */
import { assertEquals, assertMatch } from "@std/assert";
import { outlet, Program, ROOT, run } from "./harness/program.ts";
import { testWith } from "./harness/tools.ts";

/** A command of an example, and its expected output. */
interface Step {
  readonly command: string;
  readonly prints: string;
}

testWith(
  ["bash", "ncat"],
  "the examples of the README print the output that they show",
  async () => {
    await using stage = await ExampleEnvironment.set();
    for (const step of stepsIn(await Deno.readTextFile(`${ROOT}README.md`))) await stage.play(step);
  },
);

Deno.test("the README installs in two commands, which name the version that is used for development", async () => {
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  assertMatch(
    readme,
    /^npx -y deno@2\.9\.6 run -A main\.ts server\nnpx -y deno@2\.9\.6 task test$/m,
  );
});

Deno.test("every local link in README and docs has a target", async () => {
  const pages = ["README.md"];
  for await (const { name } of Deno.readDir(`${ROOT}docs`)) {
    if (name.endsWith(".md")) pages.push(`docs/${name}`);
  }
  const dead: string[] = [];
  for (const page of pages) {
    const text = await Deno.readTextFile(ROOT + page);
    for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)) {
      const path = new URL(link!, `file://${ROOT}${page}`).pathname;
      await Deno.stat(path).catch(() => dead.push(`${page}: ${link}`));
    }
  }
  assertEquals(dead, []);
});

/**
 * The environment that examples run in: a directory with `outlet` on the path, and the servers that
 * they start.
 */
class ExampleEnvironment implements AsyncDisposable {
  readonly #folder: string;
  readonly #servers: Program[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async set(): Promise<ExampleEnvironment> {
    const folder = await Deno.makeTempDir({ prefix: "outlet-readme-" });
    const command = outlet().map((word) => `'${word}'`).join(" ");
    await Deno.writeTextFile(`${folder}/outlet`, `#!/bin/sh\nexec ${command} "$@"\n`, {
      mode: 0o755,
    });
    return new ExampleEnvironment(folder);
  }

  async play({ command, prints }: Step): Promise<void> {
    const env = { PATH: `${this.#folder}:${Deno.env.get("PATH")}` };
    const background = /^(.*) &$/.exec(command)?.[1];
    if (background) {
      const server = new Program(["bash", "-c", `exec ${background}`], { env });
      this.#servers.push(server);
      await server.logs(patternFor(prints));
    } else {
      const { stdout, stderr } = await run(["bash", "-c", command], { env });
      const shown = prints.split("\n").filter((line) => line !== "");
      assertEquals(shownBy({ stdout, stderr }, shown), shown, `$ ${command}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** The steps in the page's console blocks. */
function stepsIn(page: string): Step[] {
  const blocks = [...page.matchAll(/^```console\n(.*?)^```$/gms)].map(([, block]) => block!);
  return blocks.flatMap((block) =>
    block.split(/^\$ /m).slice(1).map((step) => {
      const [command = "", ...lines] = step.split("\n");
      return { command, prints: lines.join("\n").trim() };
    })
  );
}

/**
 * What a command printed, each line as the example shows it where it matches. A terminal mixes stdout
 * and stderr in any order; each of them keeps its own.
 */
function shownBy(
  { stdout, stderr }: { stdout: string; stderr: string },
  shown: readonly string[],
): string[] {
  const streams = [stdout, stderr].map((text) => text.split("\n").filter((line) => line !== ""));
  const matched = shown.flatMap((line) => {
    const stream = streams.find(([first]) => first !== undefined && patternFor(line).test(first));
    stream?.shift();
    return stream ? [line] : [];
  });
  return [...matched, ...streams.flat()];
}

/** A pattern for these lines, in which `…` matches any text. */
function patternFor(prints: string): RegExp {
  const escaped = prints.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("…", ".*");
  return new RegExp(`^${escaped}\\s*$`);
}
