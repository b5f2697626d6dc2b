/**
 * Bundles the program and each module that it starts as a worker, which is found where it is named. Bundling moves
 * modules, so that where a worker's own module is looked for stands a line that leads there.
 *
 * @module
 */
const DIRECTORY = "dist/bundle";

await Deno.remove(DIRECTORY, { recursive: true }).catch(() => {});
const workers = await Array.fromAsync(workersIn("src"));
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    ...["bundle", "--quiet", "--code-splitting", "--platform", "deno", "--outdir", DIRECTORY],
    ...["main.ts", ...workers],
  ],
}).spawn().status;
for (const worker of workers) {
  const name = worker.slice(worker.lastIndexOf("/") + 1);
  const line = `import "./${worker.replace(/\.ts$/, ".js")}";\n`;
  await Deno.writeTextFile(`${DIRECTORY}/${name}`, line);
}
Deno.exit(code);

/** The modules that a source starts as workers: `new URL("./worker.ts", import.meta.url)`. */
async function* workersIn(directory: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) yield* workersIn(path);
    else if (name.endsWith(".ts")) {
      const text = await Deno.readTextFile(path);
      for (const [, file] of text.matchAll(/new URL\("\.\/(\w+\.ts)", import\.meta\.url\)/g)) {
        yield `${directory}/${file}`;
      }
    }
  }
}
