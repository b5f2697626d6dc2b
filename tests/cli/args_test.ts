import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { parseCommand } from "../../src/cli/args.ts";
import { configOf } from "../harness/server.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import { SERVICES } from "../../src/services/registry.ts";
import { formatAddress } from "../../src/endpoint/address.ts";

/** Addresses and services of the outlets that these arguments configure. */
function outlets(...args: string[]): string[] {
  return configOf(args).outlets.map(({ service, listen }) => `${service} ${formatAddress(listen)}`);
}

Deno.test("without a SPEC there is a chat room on 127.0.0.1:7000", () => {
  assertEquals(outlets(), ["chat 127.0.0.1:7000"]);
});

Deno.test("a SPEC names service, host and port; the host is loopback by default", () => {
  assertEquals(
    outlets(
      "echo://:7007",
      "chat://0.0.0.0:7000?room=ops",
      "daytime://[::1]:7013",
      "time://localhost:0",
    ),
    ["echo 127.0.0.1:7007", "chat 0.0.0.0:7000", "daytime [::1]:7013", "time localhost:0"],
  );
});

Deno.test("flags describe an outlet as a SPEC does, also beside SPECs", () => {
  assertEquals(outlets("--service", "echo", "--host", "::1", "--port", "7007"), [
    "echo [::1]:7007",
  ]);
  assertEquals(outlets("--port=8000"), ["chat 127.0.0.1:8000"]);
  assertEquals(outlets("echo://:7", "--service=time", "-p", "37"), [
    "echo 127.0.0.1:7",
    "time 127.0.0.1:37",
  ]);
});

Deno.test("options of an outlet are in its SPEC or, for all outlets, in flags; the SPEC wins", () => {
  const config = configOf([
    "echo://:1?backlog=9",
    "chat://:2?room=ops",
    "--backlog",
    "7",
    "--no-keep-alive",
  ]);
  assertEquals(config.outlets.map(({ outletOptions }) => outletOptions.backlog), [9, 7]);
  assertEquals(config.outlets.map(({ outletOptions }) => outletOptions["keep-alive"]), [
    false,
    false,
  ]);
  assertEquals(config.outlets[1]?.serviceOptions.room, "ops");
  const plain = configOf(["--service", "chat", "--room", "ops"]);
  assertEquals(plain.outlets[0]?.serviceOptions.room, "ops");
});

Deno.test("--mode means the same as a mode as the first argument, wherever it is", async () => {
  const byWord = await parseCommand(["server", "echo://:7007"]);
  assertEquals(await parseCommand(["--mode", "server", "echo://:7007"]), byWord);
  assertEquals(await parseCommand(["echo://:7007", "--mode=server"]), byWord);
  assertEquals(
    await parseCommand(["--mode", "client", "h", "1"]),
    await parseCommand(["client", "h", "1"]),
  );
});

Deno.test("a client's target is HOST PORT, HOST:PORT or tcp://HOST:PORT", async () => {
  for (
    const args of [["::1", "80"], ["[::1]", "80"], ["[::1]:80"], ["tcp://[::1]:80"], [
      "tcp://[::1]:80/",
    ]]
  ) {
    const command = await parseCommand(["client", ...args]);
    assertEquals(
      command.mode === "client" && formatAddress(command.config.targets[0]),
      "[::1]:80",
    );
  }
});

Deno.test("help and version can be requested in every usual way", async () => {
  for (const args of [["--help"], ["-h"], ["help"]]) {
    const command = await parseCommand(args);
    assertMatch(command.mode === "help" ? command.text : "", /Modes:\n {2}outlet server/);
  }
  for (const args of [["server", "--help"], ["help", "server"], ["--mode", "server", "-h"]]) {
    const command = await parseCommand(args);
    assertMatch(command.mode === "help" ? command.text : "", /Services:\n {2}chat/);
  }
  assertEquals(await parseCommand(["--version"]), { mode: "version" });
});

Deno.test("help is as wide as the terminal, 80 columns without one", async () => {
  const topics = [[], ["server"], ["client"], ["trace"], ["exec"], ["echo"], ["record"]];
  for (const width of [undefined, 50, 80, 100]) {
    for (const topic of topics) {
      const command = await parseCommand(["help", ...topic], { width });
      const lines = command.mode === "help" ? command.text.split("\n") : [];
      assertEquals(lines.filter((line) => line.length > (width ?? 80)), []);
      assertEquals(lines.length > 10, true);
    }
  }
});

Deno.test("every service has help, with its own options and those of all outlets", async () => {
  for (const { name, options } of SERVICES.values()) {
    const command = await parseCommand(["help", name]);
    const text = command.mode === "help" ? command.text : "";
    for (const option of [...Object.keys(options), "name", "tls", "allow"]) {
      assertMatch(text, new RegExp(`^ {2}\\?${option}\\b`, "m"));
    }
  }
});

Deno.test("--check of the server is not the option check of forward", () => {
  for (const spec of ["forward://:7?to=127.0.0.1:9", "forward+udp://:7?to=127.0.0.1:9"]) {
    const [outlet] = configOf([spec, "--check"]).outlets;
    assertEquals(outlet!.serviceOptions.check, undefined);
  }
});

Deno.test("a default excludes no other option", async () => {
  for (
    const args of [
      "trace --read f",
      "trace --sockets 7",
      "trace --sockets --port 7",
      "client h 1 -z --count 3",
    ]
  ) {
    await parseCommand(args.split(" "));
  }
});

/** Invalid arguments, and the error line that each must give. */
const INVALID_ARGUMENTS: readonly (readonly [args: string, answer: RegExp])[] = [
  ["", /^expected a mode, .*see outlet --help$/],
  ["--port 80", /^expected a mode/],
  ["sevrer", /^unknown mode "sevrer": did you mean "server"\?$/],
  ["--mode", /^--mode: expected server or client or trace$/],
  ["--mode sever", /^unknown mode "sever": did you mean "server"\?$/],
  ["server ecko://:7", /^"ecko:\/\/:7": unknown service "ecko": did you mean "echo"\?$/],
  ["server --service ftp", /^unknown service "ftp": expected one of chat, echo, /],
  ["server echo", /^"echo": expected SERVICE:\/\/\[HOST\]:PORT, such as echo:\/\/:7007/],
  ["server echo://", /^"echo:\/\/": expected a port/],
  ["server echo://127.0.0.1", /^"echo:\/\/127.0.0.1": expected a port/],
  ["server echo://:0x50", /^"echo:\/\/:0x50": port "0x50": expected a port, 0 to 65535$/],
  ["server echo://:65536", /port "65536": expected a port, 0 to 65535$/],
  ["server echo://:-1", /port "-1": expected a port, 0 to 65535$/],
  ["server echo://:80x", /port "80x": expected a port, 0 to 65535$/],
  ["server --port -1", /^--port "-1": expected a port, 0 to 65535, or a list/],
  ["server --port 80x", /^--port "80x": expected a port, 0 to 65535, or a list/],
  ["server --port", /^--port: expected a port, 0 to 65535, or a list .*, and nothing follows it$/],
  ["server --port 1 --port 2", /^--port was given twice$/],
  ["server echo://1.2.3.400:7", /^"echo:.*": host "1.2.3.400": expected a host name/],
  ["server --host a..b", /^host "a..b": expected a host name/],
  ["server chat://:1?rom=x", /^"chat:.*": unknown option of chat "rom": did you mean "room"\?$/],
  ["server chat://:1?backlog=0", /^"chat:.*": backlog "0": expected a whole number, 1 to 65535$/],
  [
    "server echo://7007",
    /^"echo:\/\/7007": expected \[HOST\]:PORT: did you mean echo:\/\/:7007\?$/,
  ],
  ["server echo:7007", /: expected SERVICE:\/\/\[HOST\]:PORT, did you mean echo:\/\/:7007\?$/],
  ["server chat", /: expected SERVICE:\/\/\[HOST\]:PORT, such as chat:\/\/:7007$/],
  ["server 7007", /: expected SERVICE:\/\/\[HOST\]:PORT, did you mean echo:\/\/:7007\?$/],
  [
    "server echo://:1?name=a chat://:2?name=a",
    /^two outlets are named a: names must be unique$/,
  ],
  [
    "server echo://:1?name=a+b",
    /^"echo:.*": name "a b": expected a name of 1 to 64 letters, digits/,
  ],
  [
    "server --service echo echo://:7061",
    /^--service echo beside a SPEC asks for one more outlet: .*--port/,
  ],
  [
    "server --name a echo://:7061",
    /^--name beside a SPEC needs --service; in a SPEC it is \?name=NAME$/,
  ],
  ["server --config", /^--config: expected a file, and nothing follows it$/],
  ["server --check --print-config", /^--check and --print-config exclude each other$/],
  [
    "server --config f --port 7",
    /^"--port" and --config exclude each other: the file lists the outlets$/,
  ],
  ["server -l -p 7000", /^outlet server has no -l: a server listens anyway; stdio:\/\/:PORT does/],
  ["server -v", /^outlet server has no -v: --log-level debug logs more$/],
  ["server -k", /^outlet server has no -k: stdio:\/\/:PORT\?keep serves clients one after/],
  ["server -u", /^outlet server has no -u: SERVICE\+udp:\/\/:PORT serves datagrams; stdio\+udp/],
  ["server --xyzzy", /^unknown option "--xyzzy": see outlet server --help$/],
  ["server echo://:1?xyzzy=1", /^"echo:.*": unknown option of echo "xyzzy": see outlet help echo$/],
  ["server echo://b\u00fccher\u0000.test:7", /: expected a host name, an IPv4 or an IPv6 address$/],
  ["server echo://\uff11\uff12\uff17.0.0.1:7", /: expected a host name, an IPv4 or an IPv6/],
  [
    "server echo+unix://@x?mode=0600",
    /mode is about the file of a Unix socket, and unix:@x has none/,
  ],
  [
    "server echo+unix://@x --workers 2",
    /^workers and unix:@x exclude each other: threads can share/,
  ],
  [
    "server echo+unix://@",
    /^"echo.*": expected a path, such as unix:\/run\/echo.sock, or unix:@NAME/,
  ],
  [
    "server stdio://:1 --workers 2",
    /^workers and stdio exclude each other: there is one standard input$/,
  ],
  [
    "server echo://0.0.0.0:7 chat://[::]:7",
    /^echo and chat have overlapping addresses, 0\.0\.0\.0:7 and \[::\]:7$/,
  ],
  [
    "server echo://127.0.0.1:7 --metrics 0.0.0.0:7",
    /^echo and the metrics have overlapping addresses/,
  ],
  ["server echo://:7 --console :7", /^echo and the console have the same address, 127\.0\.0\.1:7/],
  [
    "server forward://:7?to=127.0.0.1:7",
    /^forward would forward to itself: 127\.0\.0\.1:7 → 127\.0\.0\.1:7$/,
  ],
  [
    "server forward://:7?to=localhost:8 forward://:8?to=h:1,127.0.0.1:7",
    /^forward and forward would forward in a loop: 127\.0\.0\.1:7 → 127\.0\.0\.1:8 → 127\.0\.0\.1:7$/,
  ],
  [
    "server echo://:7 --bus nats://u:p@h --bus-credentials f",
    /^bus-credentials and a user in the URL of bus exclude/,
  ],
  ["help ecko", /^unknown help topic "ecko": did you mean "echo"\?$/],
  ["help echo chat", /^"chat": outlet help takes one topic$/],
  ["client -l 7000", /^outlet client has no -l: a client does not listen; outlet server stdio/],
  ["client -u tls://h:1", /^tls:\/\/h:1 is no address of UDP: expected udp:\/\/HOST:PORT$/],
  ["client h 1 -p 5", /^outlet client has no -p: --source :PORT sets the local port/],
  ["client unix:@", /^"unix:@": expected a path, such as unix:.*, or unix:@NAME$/],
  ["client h 1 -o", /^-o: expected a file, and nothing follows it$/],
  ["client h 1 --script", /^--script: expected a file, and nothing follows it$/],
  ["server --log-file", /^--log-file: expected a file, and nothing follows it$/],
  ["server --bcklog 5", /^unknown option "--bcklog": did you mean "--backlog"\?$/],
  ["server --log-format xml", /^--log-format "xml": expected one of text, json$/],
  ["server echo://:1 echo://:1", /^echo and echo have the same address, 127\.0\.0\.1:1/],
  ["server echo://:1 --port 5", /^--port beside a SPEC needs --service/],
  ["server --no-port", /^unknown option "--no-port"/],
  ["client", /^nothing to connect to: expected HOST PORT/],
  ["client h", /^"h": expected HOST PORT/],
  ["trace --read f --interface lo", /^--read and --interface exclude each other$/],
  ["trace --sockets --read f", /^--(read|sockets) and --(read|sockets) exclude each other$/],
  ["trace --json --summary", /^--summary and --json exclude each other$/],
  ["client h 1 2", /^unexpected argument "2": expected HOST PORT$/],
  ["client h 0", /port "0": expected a port to connect to, 1 to 65535$/],
  ["client h:99999", /port "99999": expected a port/],
  ["client :80", /^":80": the host is missing before the port$/],
  ["client http://h:1", /^"http:.*": unknown scheme "http": expected tcp:\/\/, tls:\/\/, ws:/],
  ["client ws://h:1/a --ws /b", /^--ws: the target is a WebSocket with a path already$/],
  ["client ws://h:1/#a", /^"ws:.*": request path "\/#a": expected a path such as \/chat/],
  ["client ws://u:p@h/", /^"ws:.*": a user in the URL is not sent: use --header/],
  ["client wss://unix:/x", /^"wss:.*": a Unix socket with it is written wss\+unix:PATH$/],
  ["client h 1 --header A:b", /^--header needs --ws$/],
  ["client ws://h --header Upgrade:x", /^--header: expected a field such as .*, none that the/],
  ["client ws://h --text --binary", /^--text and --binary exclude each other$/],
  ["server echo+ws://:1?ws", /^"echo.*": the transport already says ws: leave \?ws out$/],
  ["server echo+wss://:1?tls", /^"echo.*": the transport already says tls: leave \?tls out$/],
  ["server echo+tls+wss://:1", /^"echo.*": transport "tls\+wss": expected each layer once/],
  ["server echo+unix+ws://:1", /^"echo.*": transport "unix\+ws": expected each layer once, then/],
  [
    "server echo+sctp://:1",
    /^"echo.*": unknown transport "sctp": expected one of tcp, udp, unix, tls/,
  ],
  ["server echo+wss://:1", /^"echo.*": tls needs tls-cert, /],
  ["server echo://:1?path=/x", /^"echo.*": path needs ws$/],
  ["server echo+ws://:1?path=x", /^"echo.*": path "x": expected a path such as \/chat$/],
  ["server echo+ws://:1?origin=example.org", /^"echo.*": origin "example.org": expected an origin/],
  ["server echo+ws://:1?text&text-lines", /^"echo.*": text-lines and text exclude each other$/],
  ["server echo+ws://:1?accept-proxy&forwarded-for", /forwarded-for and accept-proxy exclude/],
  ["client h 1 -Z", /^unknown option "-Z"/],
  ["client h 1 -w soon", /^-w "soon": expected a duration such as 500ms, 30s, 5m or 2h$/],
  ["client h 1 --eof never", /^--eof "never": expected one of half-close, close, wait$/],
  ["client h 1 --send-only --recv-only", /exclude each other$/],
];

for (const [args, answer] of INVALID_ARGUMENTS) {
  Deno.test(`"outlet ${args}" fails with what is wrong and what was expected`, async () => {
    const list = args === "" ? [] : args.split(" ");
    const error = await assertRejects(() => parseCommand(list), UsageError);
    assertMatch((error as Error).message, answer);
    assertEquals((error as Error).message.includes("\n"), false);
  });
}
