/** `outlet server --add-user` makes the file that `auth` of a proxy reads. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readPasswordFile } from "../../src/services/proxy/passwords/password_file.ts";
import { Passwords } from "../../src/services/proxy/passwords/passwords.ts";
import { outlet, run } from "../harness/program.ts";
import { KEY, Terminal } from "../harness/terminal.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { testWith } from "../harness/tools.ts";

/** Adds a user whose password comes from stdin. */
function addUser(file: string, user: string, stdin: string) {
  return run(outlet("server", "--add-user", user, "--password-file", file), { stdin });
}

/** Lets the user in with this password. */
async function check(path: string, user: string, password: string): Promise<void> {
  await new Passwords({ path, failed: () => {} }).check(user, password);
}

Deno.test("a user is added with a password from stdin, and a user who is there is changed", async () => {
  await using folder = await TemporaryDirectory.make();
  const file = `${folder.path}/users`;
  const steps = [
    ["joe", "s3cret\n", "added"],
    ["ann", "other", "added"],
    ["joe", "n€w word\r\nmore\n", "changed"],
  ] as const;
  for (const [user, stdin, done] of steps) {
    const { code, stdout, stderr } = await addUser(file, user, stdin);
    assertEquals([code, stdout, stderr], [0, `${done} user ${user} in ${file}\n`, ""]);
  }
  assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
  assertEquals([...(await readPasswordFile(file)).hashes.keys()], ["ann", "joe"]);
  await check(file, "joe", "n€w word");
  await check(file, "ann", "other");
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
});

Deno.test("what cannot be done is refused, and leaves the file as it is", async () => {
  await using folder = await TemporaryDirectory.make();
  const file = `${folder.path}/users`;
  await Deno.writeTextFile(file, "not a user\n");
  const cases = [
    [await addUser(file, "joe", "s3cret\n"), /password-file .*: line 1: expected USER:HASH/],
    [
      await addUser(`${folder.path}/none/x`, "joe", "s3cret\n"),
      /password-file .*: no such directory: /,
    ],
    [await addUser(`${folder.path}/new`, "joe", ""), /no password was given/],
    [await addUser(`${folder.path}/new`, "joe", "x".repeat(256)), /over 255 bytes/],
    [await addUser(file, "a:b", ""), /a name of 1 to 64 printable characters without a colon/],
    [await run(outlet("server", "--add-user", "joe")), /--add-user needs --password-file/],
    [
      await run(outlet("server", "echo://:0", "--add-user", "a", "--password-file", file)),
      /--add-user and "echo:\/\/:0" exclude each other/,
    ],
  ] as const;
  for (const [{ code, stderr }, why] of cases) {
    assertEquals(code, 2, stderr);
    assertMatch(stderr, why);
  }
  assertEquals(await Deno.readTextFile(file), "not a user\n");
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
});

testWith(["python3"], "at a terminal the password is asked for twice, and not shown", async () => {
  await using folder = await TemporaryDirectory.make();
  const file = `${folder.path}/users`;
  await using terminal = new Terminal(
    outlet("server", "--add-user", "joe", "--password-file", file),
  );
  await terminal.shows(/password for joe:/);
  await terminal.type(`s3cret${KEY.enter}`);
  await terminal.shows(/the same again:/);
  await terminal.type(`s3cret${KEY.enter}`);
  const [shown] = await terminal.shows(/[^]*added user joe/);
  assert(!shown.includes("s3cret"));
  await check(file, "joe", "s3cret");
});
