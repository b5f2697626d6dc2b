/**
 * Every way to connect a client to a server: each carrier, with each layer, through each proxy, and
 * each stage.
 *
 * @module
 */
import { captureStage } from "../../src/connection/capture.ts";
import { tapStage } from "../../src/connection/tap.ts";
import { TrustedProxies } from "../../src/admission/trusted_proxies.ts";
import { type Address, addressOf } from "../../src/endpoint/address.ts";
import { STAGES } from "../../src/outlet/stages.ts";
import type { OutletSettings } from "../../src/outlet/settings.ts";
import { OutputFiles } from "../../src/server/output_files.ts";
import { CARRIERS } from "../../src/transport/carriers.ts";
import { dial, type DialledEndpoint } from "../../src/transport/dial.ts";
import {
  acceptStage,
  type ClientLayers,
  LAYERS,
  type ServerLayers,
} from "../../src/transport/layers.ts";
import { listen, type Listener } from "../../src/transport/listen.ts";
import { HANDSHAKES } from "../../src/transport/proxy/connect.ts";
import { contextOf, type Stage } from "../../src/transport/stage.ts";
import type { ByteStream } from "../../src/transport/stream.ts";
import { send } from "../harness/bytes.ts";
import { CertificateAuthority } from "../harness/certificates.ts";
import { TemporaryDirectory } from "../harness/temporary_directory.ts";
import { freePort } from "../harness/ports.ts";
import { TestProxy } from "../harness/proxy.ts";

/** Time limit for dialling in milliseconds, which no test should reach. */
export const TIMEOUT = 20_000;

/** Addresses to listen on for each carrier, and addresses without a listener. */
const ADDRESSES: Record<
  keyof typeof CARRIERS,
  (folder: string) => { free: Address; unused: Address; refusal: RegExp }
> = {
  tcp: () => ({
    free: { hostname: "127.0.0.1", port: 0 },
    unused: { hostname: "127.0.0.1", port: freePort() },
    refusal: /refused|rejected|502/,
  }),
  unix: (folder) => ({
    free: { path: `${folder}/s` },
    unused: { path: `${folder}/none` },
    refusal: /no such file/,
  }),
};

/** Options of both ends for each layer. */
const OPTIONS: {
  [Name in keyof typeof LAYERS]: (authority: CertificateAuthority) => Promise<{
    client: NonNullable<ClientLayers[Name]>;
    server: NonNullable<ServerLayers[Name]>;
  }>;
} = {
  async tls(authority) {
    const { cert, key } = await authority.sign();
    const [ca, ...pair] = await Promise.all(
      [authority.cert, cert, key].map((file) => Deno.readTextFile(file)),
    );
    return {
      client: { serverName: "localhost", ca },
      server: { contents: () => ({ pair: { cert: pair[0]!, key: pair[1]! } }), alpn: [] },
    };
  },
  ws: () =>
    Promise.resolve({
      client: { host: "localhost", target: "/" },
      server: {
        path: "/",
        origins: [],
        subprotocols: [],
        form: "binary",
        maxMessage: 1024 ** 2,
        ping: 10_000,
      },
    }),
};

/** Settings of an outlet that enable each stage, and what its client sends first. */
const SETTINGS: Record<
  keyof typeof STAGES,
  (parts: Parts) => Promise<{ settings: Partial<OutletSettings>; preface?: string }>
> = {
  proxyHeader: () =>
    Promise.resolve({
      settings: { proxies: new TrustedProxies([]) },
      preface: "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
    }),
  layers: () => Promise.resolve({ settings: {} }),
  capture: ({ folder }) => {
    const onFault = (error: unknown) => {
      throw error;
    };
    const options = { directory: folder.path, name: "echo", limit: 100_000, onFault };
    return Promise.resolve({ settings: { capture: captureStage(options) } });
  },
  output: ({ folder }) => {
    const output = new OutputFiles(undefined).stage({
      output: `${folder.path}/output`,
      "output-sent": true,
      "hex-dump": `${folder.path}/dump`,
      "append-output": false,
      json: false,
    }, { outlet: "echo" });
    return Promise.resolve({ settings: { output } });
  },
};

/** What a test needs to run. */
interface Parts {
  readonly folder: TemporaryDirectory;
  readonly stack: AsyncDisposableStack;
}

/** One way to connect a client to a server. */
export interface Combination {
  readonly name: string;
  readonly carrier: keyof typeof CARRIERS;
  /** The layers over it, the innermost first. */
  readonly layers: readonly (keyof typeof LAYERS)[];
  readonly scheme?: keyof typeof HANDSHAKES;
  readonly stage?: keyof typeof STAGES | "tap";
  /** Whether the Unix socket has an abstract name. */
  readonly isAbstract?: boolean;
  /** The address that the client comes from. */
  readonly source?: string;
}

const CARRIER_NAMES = Object.keys(CARRIERS) as (keyof typeof CARRIERS)[];
const LAYER_NAMES = Object.keys(LAYERS) as (keyof typeof LAYERS)[];
/** No layer, each alone, and all over each other. */
const STACKS = [[], ...LAYER_NAMES.map((name) => [name]), LAYER_NAMES];
const SCHEMES = [undefined, ...Object.keys(HANDSHAKES) as (keyof typeof HANDSHAKES)[]];
const STAGE_NAMES = [...Object.keys(STAGES) as (keyof typeof STAGES)[], "tap"] as const;

/** All of them. */
export const COMBINATIONS: readonly Combination[] = [
  ...CARRIER_NAMES.flatMap((carrier) =>
    STACKS.flatMap((layers) =>
      // A proxy cannot connect to a Unix socket.
      SCHEMES.filter((scheme) => !scheme || carrier === "tcp").map((scheme): Combination => ({
        name: [carrier, ...layers, scheme && `through ${scheme}`].filter(Boolean).join(" "),
        carrier,
        layers,
        ...scheme ? { scheme } : {},
      }))
    )
  ),
  ...STACKS.map((layers): Combination => ({
    name: ["tcp", ...layers, "from 127.0.0.7"].join(" "),
    carrier: "tcp",
    source: "127.0.0.7",
    layers,
  })),
  ...STACKS.map((layers): Combination => ({
    name: ["unix", ...layers, "with an abstract name"].join(" "),
    carrier: "unix",
    isAbstract: true,
    layers,
  })),
  ...STAGE_NAMES.map((stage): Combination => ({
    name: `stage ${stage}`,
    carrier: "tcp",
    layers: [],
    stage,
  })),
];

function abstractNames(): { free: Address; unused: Address; refusal: RegExp } {
  const name = `@outlet-test-${crypto.randomUUID()}`;
  const refusal = /connection refused: nothing listens on that name/;
  return { free: { path: name }, unused: { path: `${name}-none` }, refusal };
}

/** Both ends, before anything is dialled. */
export class OpenEnds implements AsyncDisposable {
  readonly endpoint: DialledEndpoint;
  readonly unused: DialledEndpoint;
  readonly refusal: RegExp;
  readonly #stack: AsyncDisposableStack;
  readonly #listener: Listener;
  readonly #stage: Stage | undefined;
  readonly #preface: string;

  private constructor(fields: {
    endpoint: DialledEndpoint;
    unused: Address;
    refusal: RegExp;
    stack: AsyncDisposableStack;
    listener: Listener;
    stage: Stage | undefined;
    preface: string;
  }) {
    this.endpoint = fields.endpoint;
    this.unused = { ...fields.endpoint, address: fields.unused };
    this.refusal = fields.refusal;
    this.#stack = fields.stack;
    this.#listener = fields.listener;
    this.#stage = fields.stage;
    this.#preface = fields.preface;
  }

  static async make(
    { carrier, layers, scheme, source, isAbstract, stage: name }: Combination,
  ): Promise<OpenEnds> {
    const stack = new AsyncDisposableStack();
    const folder = stack.use(await TemporaryDirectory.make());
    const { free, unused, refusal } = isAbstract
      ? abstractNames()
      : ADDRESSES[carrier](folder.path);
    const listener = listen({ address: free }, { backlog: 16 });
    stack.defer(() => listener.close());
    const proxy = scheme && stack.use(new TestProxy(scheme)).proxy;
    const options = await optionsOf(layers, stack);
    const { stage, preface = "" } = await stageOf(name, { folder, stack });
    return new OpenEnds({
      endpoint: {
        address: addressOf(listener.addr),
        from: source === undefined ? undefined : { hostname: source },
        proxy,
        layers: layers.length > 0 ? options.client : undefined,
      },
      unused,
      refusal,
      stack,
      listener,
      stage: acceptStage(options.server) ?? stage,
      preface,
    });
  }

  /** Dials and accepts. `raw` is the server's socket, below its stages. */
  async connect(): Promise<{ client: ByteStream; server: ByteStream; raw: ByteStream }> {
    const accepting = this.accept();
    const client = await dial(this.endpoint, { timeout: TIMEOUT });
    await send(client, this.#preface);
    return { client, ...await accepting };
  }

  /** Accepts one client. */
  async accept(): Promise<{ server: ByteStream; raw: ByteStream }> {
    const raw = await this.#listener.accept();
    const context = contextOf(raw, new AbortController().signal);
    return { raw, server: this.#stage ? await this.#stage(raw, context) : raw };
  }

  /** Accepts one client, and sends nothing to it. */
  async acceptRaw(): Promise<ByteStream> {
    return await this.#listener.accept();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}

/** The options of all layers, for both ends. */
async function optionsOf(
  layers: Combination["layers"],
  stack: AsyncDisposableStack,
): Promise<{ client: ClientLayers; server: ServerLayers }> {
  const pairs = await Promise.all(layers.map(async (name) => {
    const authority = name === "tls" ? stack.use(await CertificateAuthority.make()) : undefined;
    return [name, await OPTIONS[name](authority!)] as const;
  }));
  return {
    client: Object.fromEntries(pairs.map(([name, { client }]) => [name, client])),
    server: Object.fromEntries(pairs.map(([name, { server }]) => [name, server])),
  };
}

async function stageOf(
  name: Combination["stage"],
  parts: Parts,
): Promise<{ stage?: Stage | undefined; preface?: string }> {
  if (name === undefined) return {};
  if (name === "tap") return { stage: tapStage(() => Promise.resolve()) };
  const { settings, preface = "" } = await SETTINGS[name](parts);
  return { stage: STAGES[name](settings as OutletSettings), preface };
}
