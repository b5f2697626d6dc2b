import { assert, assertEquals } from "@std/assert";
import { parseConfig } from "../../src/config/config_file.ts";
import { outletConfig, outletTable, serverConfig } from "../../src/config/outlet_config.ts";
import { ADMISSION_OPTIONS } from "../../src/config/admission_options.ts";
import { SERVER_OPTIONS, type ServerConfig } from "../../src/config/server_config.ts";
import { writeConfig } from "../../src/config/write_config.ts";
import type { Option, OptionTable } from "../../src/options/option.ts";
import { addValue } from "../../src/options/add_value.ts";
import { UsageError } from "../../src/options/usage_error.ts";
import type { Address } from "../../src/endpoint/address.ts";
import { SERVICES } from "../../src/services/registry.ts";
import type { Service } from "../../src/services/service.ts";

/** Sample values by the placeholder in help; options with choices are tested with each choice. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  "": ["true", "false"],
  ADDRESS: ["127.0.0.1"],
  CIDR: ["10.0.0.0/8", "::1", "192.0.2.1"],
  DURATION: ["1500ms", "90", "2h"],
  FILE: ["a.pem", "/etc/x.pem", "sub/b"],
  DIRECTORY: ["captures", "/var/x"],
  "HOST:PORT": ["127.0.0.1:9100", "[::1]:9101", "localhost:9102"],
  "HOST=UPSTREAM": ["*.Example.org=[::1]:443,a.test=unix:sub/a.sock"],
  "PROTOCOL=UPSTREAM": ["ssh=a:22,http=tls://b:443,else=wss://c:443/x,else=unix:sub/e.sock"],
  "[HOST:PORT]": ["127.0.0.1:9200", "off"],
  MODE: ["0660", "700"],
  N: ["1", "7", "20"],
  "N|auto": ["2", "auto"],
  NAME: ["one", "h2"],
  "NAME[=VALUE]": ["TERM", "A=b=c,d"],
  PROGRAM: ["bc", "./sub/program", "/bin/sh"],
  SHA256: ["ab".repeat(32)],
  "NAME:VALUE": ["A: b"],
  ORIGIN: ["https://example.org", "null", "*"],
  PATH: ["/chat", "/a/b%20c"],
  SIZE: ["4096", "64k", "1.5M"],
  URL: [
    ...["tls://bus", "nats://u:p%40@10.0.0.5,[::1]:4223"],
    ...["socks5://u:p%40@10.0.0.5", "http://[::1]:3128", "socks4a://me@proxy:1080"],
  ],
  WORD: ["", "-c", "a, b", "sub/x"],
};

function samplesFor({ choices, placeholder = "", bounds }: Option): readonly string[] {
  const listed = bounds ? [bounds.min, Math.min(bounds.max, bounds.min + 3)].map(String) : [];
  const samples = [...choices ?? [], ...listed, ...SAMPLES[placeholder] ?? []];
  assert(samples.length > 0, `this test knows no word for ${placeholder}: add one to SAMPLES`);
  return samples;
}

/** Options that a service needs. */
const REQUIRED_OPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  exec: { run: "sub/program" },
  forward: { to: "127.0.0.1:80,unix:sub/up.sock,tls://db:5432,tls+unix:sub/tls.sock" },
  record: { file: "sub/all" },
};

/**
 * Options that an option needs where its table does not say so, because the check looks at all
 * options together.
 */
const COMPANION_OPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  tls: { "tls-self-signed": "true" },
};

const LISTENS: readonly Address[] = [
  { hostname: "127.0.0.1", port: 7100 },
  { path: "sub/x.sock" },
  { transport: "udp", hostname: "127.0.0.1", port: 7100 },
];

/** These options, with those that they need, as values. */
function valuesOf(table: OptionTable, texts: Readonly<Record<string, string>>) {
  const values = new Map<string, unknown>();
  const add = (name: string, word: string): void => {
    const option = table[name]!;
    if (values.has(name)) return;
    addValue({ name, option, word, label: name }, values);
    if (JSON.stringify(values.get(name)) === JSON.stringify(option.default)) return;
    for (const [other, word] of Object.entries(COMPANION_OPTIONS[name] ?? {})) {
      if (!values.has("tls-cert")) add(other, word);
    }
    const [need] = option.needs ?? [];
    if (need !== undefined) add(need, samplesFor(table[need]!)[0]!);
  };
  for (const [name, word] of Object.entries(texts)) add(name, word);
  return values;
}

/** The config with these options for one outlet, or for all. */
function configWith(
  { service, own = {}, common = {} }: {
    service: Service;
    own?: Readonly<Record<string, string>>;
    common?: Readonly<Record<string, string>>;
  },
): ServerConfig {
  const table = outletTable(service);
  const least = Object.entries(REQUIRED_OPTIONS[service.name] ?? {}).filter(([name]) =>
    !Object.keys(own).some((other) =>
      other === name || table[other]!.excludes?.includes(name) ||
      table[name]!.excludes?.includes(other) || name in (COMPANION_OPTIONS[other] ?? {})
    )
  );
  const values = valuesOf(table, { ...own, ...Object.fromEntries(least) });
  const rest = valuesOf({ ...SERVER_OPTIONS, ...ADMISSION_OPTIONS }, common);
  const faults: string[] = [];
  for (const listen of LISTENS) {
    try {
      return serverConfig([outletConfig(service, { listen, own: values })], rest);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      faults.push(error.message);
    }
  }
  throw new Error(`${JSON.stringify({ own, common })}: ${faults.join("; ")}`);
}

async function assertRoundTrip(config: ServerConfig): Promise<void> {
  const printed = writeConfig(config, { directory: "/somewhere" });
  const again = await parseConfig(printed, { directory: "/elsewhere" });
  assertEquals(writeConfig(again, { directory: "/elsewhere" }), printed);
  assertEquals(await parseConfig(printed, { directory: "/third" }), again);
  assertEquals(printed.includes("sub/x.sock") === printed.includes("/somewhere/sub/x.sock"), true);
}

const echo = SERVICES.get("echo")!;

for (const service of SERVICES.values()) {
  const table = service === echo ? outletTable(echo) : service.options;
  for (const [name, option] of Object.entries(table)) {
    Deno.test(`${name} of ${service.name} is printed as it is parsed`, async () => {
      const samples = samplesFor(option).filter((word) => reads(option, word));
      assert(samples.length > 0, `none of the words is valid for ${name}`);
      for (const word of samples) {
        await assertRoundTrip(configWith({ service, own: { [name]: word } }));
      }
    });
  }
}

for (const [name, option] of Object.entries({ ...SERVER_OPTIONS, ...ADMISSION_OPTIONS })) {
  Deno.test(`${name} of the server is printed as it is parsed`, async () => {
    const samples = samplesFor(option).filter((word) => reads(option, word));
    for (const word of samples) {
      await assertRoundTrip(configWith({ service: echo, common: { [name]: word } }));
    }
  });
}

Deno.test("all compatible options of a service are printed as they are parsed", async () => {
  for (const service of SERVICES.values()) {
    let own: Record<string, string> = {};
    for (const [name, option] of Object.entries(outletTable(service))) {
      const word = samplesFor(option).find((word) => reads(option, word))!;
      try {
        configWith({ service, own: { ...own, [name]: word } });
        own = { ...own, [name]: word };
      } catch {
        // It excludes one of the options before it.
      }
    }
    assert(Object.keys(own).length > 15, service.name);
    await assertRoundTrip(configWith({ service, own }));
  }
});

function reads(option: Option, word: string): boolean {
  try {
    option.parse(word);
    return true;
  } catch {
    return false;
  }
}
