/**
 * Outlets inside another program, such as a test: on free ports, with their events, closed at the end of the block.
 *
 * ```ts
 * import { open } from "@outlet/outlet/server";
 * import { connect } from "@outlet/outlet/client";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await open("echo://:0", "chat://:0");
 * const closed = server.events("closed");
 *
 * using client = await connect(server.outlets[0]);
 * await client.write("hello\n");
 * assertEquals(await client.readLine(), "hello");
 * client.close();
 *
 * const { value } = await closed.next();
 * assertEquals(value?.bytesIn, 6);
 * ```
 *
 * @module
 */
import { EventBus } from "../events/event_bus.ts";
import { preflight } from "../server/preflight.ts";
import { Server } from "../server.ts";
import { libc } from "../transport/libc.ts";
import { type OpenOptions, type OutletSpec, parseOpenOptions } from "./open_options.ts";
import { RunningServer } from "./running_server.ts";

export type { EventOf } from "./event_stream.ts";
export type {
  CommonOptions,
  OpenOptions,
  OptionValue,
  OutletObject,
  OutletSpec,
} from "./open_options.ts";
export type { RunningOutlet, RunningServer } from "./running_server.ts";
export type { AdmissionConfig } from "../config/admission_options.ts";
export type { OutletOptions } from "../config/outlet_options.ts";
export type { OutputConfig } from "../config/output_options.ts";
export type { TlsServerConfig } from "../config/tls_server_options.ts";
export type { KeepAliveTimes } from "../transport/keep_alive_options.ts";
export type { UdpConfig } from "../config/udp_options.ts";
export type { WebSocketServerConfig } from "../config/websocket_server_options.ts";
export type { Address, InternetAddress, UnixAddress } from "../endpoint/address.ts";
export type * from "../events/events.ts";
export type * from "../events/server_events.ts";

// libc stays loaded for the life of the process. Loading it here keeps tests from reporting it as a leak.
libc();

/**
 * Opens outlets: all of them, or none on an error.
 *
 * ```ts
 * import { open } from "@outlet/outlet/server";
 *
 * await using server = await open("echo://:0", { service: "chat", listen: ":0", history: 10 });
 * const { port } = server.outlets[1];
 * ```
 *
 * @throws {UsageError} which names what is wrong, or not supported by the library
 * @throws {Error} which names what the system refused, such as an address in use
 */
export function open<const Specs extends readonly OutletSpec[]>(
  ...outlets: Specs
): Promise<RunningServer<Specs>>;
/**
 * Opens the outlets of a config: all of them, or none on an error.
 *
 * ```ts
 * import { open } from "@outlet/outlet/server";
 *
 * const names: string[] = [];
 * await using server = await open({
 *   outlets: ["echo://:0"],
 *   "max-connections": 10,
 *   "idle-timeout": "5s",
 *   onEvent: ({ event }) => names.push(event),
 * });
 * console.assert(names.join() === "listening,ready");
 * ```
 *
 * @throws {UsageError} which names what is wrong, or not supported by the library
 * @throws {Error} which names what the system refused, such as an address in use
 */
export function open<const Specs extends readonly OutletSpec[]>(
  config: OpenOptions<Specs>,
): Promise<RunningServer<Specs>>;
export async function open(
  ...given: readonly OutletSpec[] | readonly [OpenOptions]
): Promise<RunningServer> {
  const [first] = given;
  const options = given.length === 1 && isConfig(first)
    ? first
    : { outlets: given as readonly OutletSpec[] };
  const { config, counts } = await parseOpenOptions(options);
  await preflight(config, { handedSockets: "ignore" });
  const eventBus = new EventBus();
  if (options.onEvent) eventBus.subscribe(options.onEvent);
  const server = await Server.open(config, { eventBus });
  const drainTimeout = config.options["drain-timeout"];
  return new RunningServer({ server, eventBus, drainTimeout, counts });
}

function isConfig(given: OutletSpec | OpenOptions | undefined): given is OpenOptions {
  return typeof given === "object" && given !== null && "outlets" in given;
}
