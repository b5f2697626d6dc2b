/**
 * System limits and failures: no descriptors, no inotify instances, no stdin, a replaced config.
 */
import { assertMatch, assertStringIncludes } from "@std/assert";
import { type AttackedServer, ECHO_OUTLET, testAttack } from "../../harness/attacked.ts";
import { readText, send } from "../../harness/bytes.ts";
import { eventually } from "../../harness/eventually.ts";
import { descriptorsOf } from "../../harness/process.ts";
import { run } from "../../harness/program.ts";

const TOKEN = "a-token-for-this-test";

testAttack("the console dials while no descriptor is free; only that dial fails", {
  needs: ["prlimit"],
  async args({ folder }) {
    await Deno.writeTextFile(`${folder}/token`, TOKEN);
    return ["--console", "127.0.0.1:0", "--console-token-file", `${folder}/token`];
  },
  // Loads the modules of the first dial.
  warmUp: async (server) => void await dial(server, 1),
  async begin(server, stack) {
    const used = descriptorsOf(server.pid);
    const pid = `--pid=${server.pid}`;
    await run(["prlimit", pid, `--nofile=${used}:4096`]);
    stack.defer(async () => void await run(["prlimit", pid, "--nofile=4096:4096"]));
    // It succeeds if a descriptor was released in between, and otherwise fails with the reason.
    assertMatch(await dial(server, 2), /^(open|failed .*too many open files)/);
    await run(["prlimit", pid, "--nofile=4096:4096"]);
  },
});

/** Makes the console connect to its own port, and resolves to the result. */
async function dial(server: AttackedServer, number: number): Promise<string> {
  const [, origin, port] = await server.program.prints(/console at (http:\S+:(\d+))\//);
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const ask = async (path: string, init: RequestInit = {}) => {
    const answer = await (await fetch(`${origin}/api/v1/${path}`, { headers, ...init })).text();
    return answer === "" ? undefined : JSON.parse(answer);
  };
  await ask("clients", { method: "POST", body: JSON.stringify({ host: "127.0.0.1", port }) });
  let client = await ask(`clients/${number}`);
  await eventually(async () => {
    client = await ask(`clients/${number}`);
    return client.state !== "dialling";
  }, "the end of a dial");
  if (client.state === "open") await ask(`clients/${number}/close`, { method: "POST", body: "{}" });
  return `${client.state} ${client.error ?? ""}`;
}

testAttack("stdin cannot be read; that is reported, and the server continues", {
  needs: ["sh"],
  // With more workers there is no stdio service, since there is one standard input.
  workers: [1],
  wrapper: () => ["sh", "-c", 'exec "$@" </etc', "sh"],
  args: () => ["stdio://:0?clients=many&keep&name=it"],
  async begin(server) {
    using client = await server.connect("it");
    await send(client, "for stdout\n");
    await client.closeWrite();
    await readText(client);
    await server.program.prints(/for stdout/);
    await server.logs(/cannot read stdin: /);
  },
});

/** Writes a config with an echo outlet for other clients and these SPECs, and returns its path. */
async function writeConfig(path: string, more: readonly string[] = []): Promise<string> {
  const outlets = [`echo://127.0.0.1:0?name=${ECHO_OUTLET}`, ...more];
  await Deno.writeTextFile(path, JSON.stringify({ outlets }));
  return path;
}

testAttack("no inotify instance is left; a changed config is still reloaded", {
  needs: ["unshare", "sh"],
  wrapper: () => [
    ...["unshare", "-U", "-r", "sh", "-c"] as const,
    'echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"',
    "sh",
  ],
  args: async ({ folder }) => ["--config", await writeConfig(`${folder}/outlet.json`)],
  async begin(server) {
    await writeConfig(`${server.folder}/outlet.json`, ["time://127.0.0.1:0?name=more"]);
    await server.port("more");
    await writeConfig(`${server.folder}/outlet.json`);
    await server.logs(/"event":"stopped","outlet":"more"/);
  },
});

testAttack(
  "a config is replaced behind a symlink, its directory recreated, and the file becomes a pipe; each is noticed",
  {
    needs: ["mkfifo"],
    async args({ folder }) {
      // A Kubernetes ConfigMap is mounted like this: the file is a link into a directory that is
      // itself a link.
      await Deno.mkdir(`${folder}/one`);
      await writeConfig(`${folder}/one/outlet.json`);
      await Deno.symlink("one", `${folder}/..data`);
      await Deno.symlink("..data/outlet.json", `${folder}/outlet.json`);
      return ["--config", `${folder}/outlet.json`];
    },
    async begin(server) {
      const { folder } = server;
      await Deno.mkdir(`${folder}/two`);
      await writeConfig(`${folder}/two/outlet.json`, ["time://127.0.0.1:0?name=swapped"]);
      await Deno.symlink("two", `${folder}/..next`);
      await Deno.rename(`${folder}/..next`, `${folder}/..data`);
      await server.port("swapped");
      await Deno.remove(`${folder}/two`, { recursive: true });
      await Deno.mkdir(`${folder}/two`);
      await writeConfig(`${folder}/two/outlet.json`, ["time://127.0.0.1:0?name=anew"]);
      await server.port("anew");
      await writeConfig(`${folder}/two/outlet.json`);
      await server.logs(/"event":"stopped","outlet":"anew"/);
      await Deno.remove(`${folder}/two/outlet.json`);
      await run(["mkfifo", `${folder}/two/outlet.json`]);
      const [line] = await server.logs(/"event":"rejected".*/);
      assertStringIncludes(line, "it is not a regular file");
    },
  },
);
