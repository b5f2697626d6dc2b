import { assertEquals, assertRejects } from "@std/assert";
import { preflight, preflightOutlet } from "../../src/server/preflight.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { configOf } from "../harness/server.ts";

/** The errors that prevent `outlet server WORDS…` from starting. */
async function fault(...args: string[]): Promise<string> {
  const error = await assertRejects(() => preflight(configOf(args)), Error);
  assertEquals(error.message.includes("\n"), false);
  return error.message;
}

async function temporaryFolder(): Promise<string & AsyncDisposable> {
  const path = await Deno.makeTempDir();
  return Object.assign(new String(path), {
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  }) as unknown as string & AsyncDisposable;
}

Deno.test("a config that needs nothing of the machine passes, even while its server runs", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  await preflight(configOf([`echo://:${port}`, "chat://:0?room=ops", "exec://:0?run=true"]));
  await preflight(configOf([`echo://localhost:${port}`, "forward://:0?to=localhost:1"]));
});

Deno.test("every file and directory that an option names is checked, and no file is left behind", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder}/file`, "kept");
  const missing = `${folder}/none/x`;
  const cases: [args: string[], message: string][] = [
    [
      [`record://:0?file=${missing}`],
      `record at 127.0.0.1:0: file ${missing}: no such directory: ${folder}/none`,
    ],
    [
      [`record://:0?dir=${missing}`],
      `record at 127.0.0.1:0: dir ${missing}: no such directory`,
    ],
    [
      [`record://:0?file=${folder}`],
      `record at 127.0.0.1:0: file ${folder}: it is a directory, not a file`,
    ],
    [
      [`echo://:0?capture=${folder}/file/x`],
      `echo at 127.0.0.1:0: capture ${folder}/file/x: ${folder}/file is not a directory`,
    ],
    [
      ["echo://:0", "--log-file", missing],
      `log-file ${missing}: no such directory: ${folder}/none`,
    ],
    [
      ["echo://:0", "--console", ":0", "--console-token-file", missing],
      `console-token-file ${missing}: no such directory: ${folder}/none`,
    ],
    [
      ["echo://:0", "--console", ":0", "--console-cert", missing],
      `console-cert ${missing}: no such file`,
    ],
    [
      ["echo://:0", "--bus", "nats://127.0.0.1", "--bus-ca", missing],
      `bus-ca ${missing}: no such file`,
    ],
    [["exec://:0?run=true&cwd=/none"], `exec at 127.0.0.1:0: cwd /none: no such directory`],
    [
      [`echo://:0?tls&tls-cert=${missing}`],
      `echo at 127.0.0.1:0: tls-cert ${missing}: no such file`,
    ],
    [
      [`echo+unix://${missing}`],
      `echo at unix:${missing}: directory ${folder}/none: no such directory`,
    ],
    [
      [`echo+unix://${folder}/file`],
      `echo at unix:${folder}/file: the file exists and is not a socket: use another path`,
    ],
  ];
  for (const [args, message] of cases) assertEquals(await fault(...args), message);
  await preflight(
    configOf([
      `record://:0?file=${folder}/new`,
      `record://:0?file=${folder}/file`,
      `record://:0?dir=${folder}`,
    ]),
  );
  await preflight(configOf([`echo://:0?capture=${folder}/a/b`, "--log-file", `${folder}/log`]));
  assertEquals([...Deno.readDirSync(`${folder}`)].map(({ name }) => name), ["file"]);
  assertEquals(await Deno.readTextFile(`${folder}/file`), "kept");
});

Deno.test("a file that cannot be created is reported with the reason, even to root", async () => {
  const message = await fault("record://:0?dir=/proc");
  assertEquals(
    message.startsWith("record at 127.0.0.1:0: dir /proc: cannot create a file in /proc: "),
    true,
    message,
  );
});

Deno.test("a program and its interpreter are looked up", async () => {
  await using folder = await temporaryFolder();
  const program = async (name: string, text: string) => {
    await Deno.writeTextFile(`${folder}/${name}`, text, { mode: 0o755 });
    return `${folder}/${name}`;
  };
  const elf = await Deno.readFile("/bin/sh");
  const broken = await program("broken", "");
  const text = new TextDecoder("latin1").decode(elf);
  const loader = /\/lib[\w/]*\/ld-[\w.-]+/.exec(text);
  if (loader) await Deno.writeFile(broken, elf.with(loader.index + 1, "X".charCodeAt(0)));
  const script = await program("script", "#!/no/such/interpreter -x\n");
  const empty = await program("empty", "");
  const plain = `${folder}/plain`;
  await Deno.writeTextFile(plain, "#!/bin/sh\n", { mode: 0o644 });
  const cannot = (name: string, why: string) => `exec at 127.0.0.1:0: cannot run "${name}": ${why}`;
  assertEquals(
    await fault("exec://:0?run=no-such-program"),
    cannot("no-such-program", "no such program, or no permission to run it"),
  );
  assertEquals(
    await fault(`exec://:0?run=${plain}`),
    cannot(plain, "no such program, or no permission to run it"),
  );
  assertEquals(
    await fault(`exec://:0?run=${script}`),
    cannot(script, "its interpreter /no/such/interpreter does not exist"),
  );
  assertEquals(await fault(`exec://:0?run=${empty}`), cannot(empty, "the file is empty"));
  if (loader) {
    assertEquals(
      await fault(`exec://:0?run=${broken}`),
      cannot(broken, `its interpreter /X${loader[0].slice(2)} does not exist`),
    );
  }
  assertEquals(
    await fault("exec://:0?env=PATH=/none", "--", "sh"),
    cannot("sh", "no such program, or no permission to run it"),
  );
  await preflight(configOf(["exec://:0", "--", "sh", "-c", "exit"]));
});

Deno.test("certificates and keys are read, and a key must match its certificate", async () => {
  await using authority = await CertificateAuthority.make();
  const [one, other] = [await authority.sign(), await authority.sign()];
  await preflight(configOf([`echo://:0?tls&tls-cert=${one.cert}&tls-key=${one.key}`]));
  const message = await fault(`echo://:0?tls&tls-cert=${one.cert}&tls-key=${other.key}`);
  assertEquals(
    message,
    `echo at 127.0.0.1:0: tls-key ${other.key} is not the key of tls-cert ${one.cert}`,
  );
  const console = await fault(
    "echo://:0",
    "--console",
    ":0",
    "--console-cert",
    one.cert,
    "--console-key",
    other.key,
  );
  assertEquals(console, `console-key ${other.key} is not the key of console-cert ${one.cert}`);
});

Deno.test("an address that this machine does not have is refused, but not a port in use", async () => {
  assertEquals(
    await fault("echo://203.0.113.9:7007"),
    "echo at 203.0.113.9:7007: address not available on this machine",
  );
  assertEquals(
    await fault("echo://:0", "--metrics", "203.0.113.9:0"),
    "metrics 203.0.113.9:0: address not available on this machine",
  );
  assertEquals(
    await fault("echo://no-such-host.invalid:7007"),
    "echo at no-such-host.invalid:7007: host name not found: the name servers have no address for it",
  );
});

Deno.test("names are looked up if they may resolve to the address of another outlet", async () => {
  const message = await fault(
    "echo://localhost:7007",
    "chat://127.0.0.1:7007",
    "discard://[::1]:7007",
  );
  assertEquals(
    /^echo and (chat|discard) have the same address, (127\.0\.0\.1|\[::1\]):7007/.test(message),
    true,
    message,
  );
});

Deno.test("an upstream that resolves to the outlet itself is refused", async () => {
  const own = Deno.networkInterfaces().map(({ address }) => address);
  for (const address of own) {
    const host = address.includes(":") ? `[${address}]` : address;
    if (/^\[fe80|^127|^\[::1/.test(host)) continue;
    assertEquals(
      await fault(`forward://[::]:7007?to=${host}:7007`),
      "forward would forward to itself: [::]:7007 → [::]:7007",
    );
  }
  await preflight(configOf(["forward://0.0.0.0:7007?to=203.0.113.9:7007"]));
});

Deno.test("an error of several outlets is reported once, and at most five errors are reported", async () => {
  const args = ["echo://:1", "chat://:2", "--tls", "--tls-cert", "/none"];
  assertEquals(
    await fault(...args),
    "echo at 127.0.0.1:1 and 1 more: tls-cert /none: no such file",
  );
  const many = Array.from({ length: 7 }, (_, at) => `record://:0?dir=/none/${at}`);
  assertEquals((await fault(...many)).endsWith("; and 2 more"), true);
});

Deno.test("socket activation is refused with an explanation, because its sockets would never be accepted from", async () => {
  Deno.env.set("LISTEN_FDS", "2");
  Deno.env.set("LISTEN_PID", String(Deno.pid));
  try {
    const message = await fault("echo://:0");
    assertEquals(
      message.startsWith("LISTEN_FDS: 2 sockets were passed, but outlet opens its own"),
      true,
    );
  } finally {
    Deno.env.delete("LISTEN_FDS");
    Deno.env.delete("LISTEN_PID");
  }
});

Deno.test("an outlet can be checked on its own", async () => {
  const [outlet] = configOf(["record://:0?dir=/none"]).outlets;
  await assertRejects(() => preflightOutlet(outlet!), Error, "dir /none: no such directory");
});
