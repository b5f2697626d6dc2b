/** Every way in which a config file can change is noticed. */
import { assertEquals } from "@std/assert";
import { ConfigWatcher } from "../../src/app/config_watcher.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";

/** A watcher of this file. */
async function watch(path: string) {
  const stop = new AbortController();
  let hangUp = () => {};
  const watcher = await ConfigWatcher.of(path, {
    signal: stop.signal,
    onHangup: (look) => hangUp = look,
  });
  return { watcher, stop, hangUp: () => hangUp() };
}

/**
 * Resolves when the change is noticed, and fails otherwise; without this the test would never end.
 */
async function noticed(path: string, change: () => Promise<void>): Promise<void> {
  const { watcher } = await watch(path);
  using _ = watcher;
  await change();
  assertEquals(await watcher.next(), true);
}

Deno.test("a file that is written, replaced or removed is reported", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/config`;
  await Deno.writeTextFile(path, "1");
  await noticed(path, () => Deno.writeTextFile(path, "2!"));
  await noticed(path, async () => {
    await Deno.writeTextFile(`${path}.new`, "3!");
    await Deno.rename(`${path}.new`, path);
  });
  await noticed(path, () => Deno.remove(path));
  await noticed(path, () => Deno.writeTextFile(path, "4"));
});

Deno.test("a changed link is reported, also in the middle of a path as in a Kubernetes ConfigMap", async () => {
  await using folder = await TemporaryDirectory.make();
  const at = (name: string) => `${folder.path}/${name}`;
  for (const version of ["v1", "v2"]) {
    await Deno.mkdir(at(version));
    await Deno.writeTextFile(at(`${version}/config`), version);
  }
  await Deno.symlink("v1/config", at("link"));
  await noticed(at("link"), () => Deno.writeTextFile(at("v1/config"), "another v1"));
  await noticed(at("link"), async () => {
    await Deno.symlink("v2/config", at("link.new"));
    await Deno.rename(at("link.new"), at("link"));
  });
  await Deno.symlink("v1", at("..data"));
  await Deno.symlink("..data/config", at("config"));
  await noticed(at("config"), async () => {
    await Deno.symlink("v2", at("..data.new"));
    await Deno.rename(at("..data.new"), at("..data"));
  });
});

Deno.test("a directory that is created again is reported", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/etc/config`;
  await Deno.mkdir(`${folder.path}/etc`);
  await Deno.writeTextFile(path, "1");
  await noticed(path, async () => {
    await Deno.remove(`${folder.path}/etc`, { recursive: true });
    await Deno.mkdir(`${folder.path}/etc`);
    await Deno.writeTextFile(path, "22");
  });
});

Deno.test("changes before a call of next are reported, once", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/config`;
  await Deno.writeTextFile(path, "1");
  const { watcher, hangUp, stop } = await watch(path);
  using _ = watcher;
  hangUp();
  hangUp();
  assertEquals(await watcher.next(), true);
  const next = watcher.next();
  stop.abort();
  assertEquals(await next, false);
});

Deno.test("changes of other files in the directory cause no delay", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/config`;
  await Deno.writeTextFile(path, "1");
  let goesOn = true;
  const busy = (async () => {
    for (let i = 0; goesOn; i++) await Deno.writeTextFile(`${folder.path}/log`, `${i}`);
  })();
  await noticed(path, () => Deno.writeTextFile(path, "two"));
  goesOn = false;
  await busy;
});
