/**
 * A client for use in other programs, such as tests.
 *
 * ```ts
 * import { connect } from "@outlet/outlet/client";
 * import { open } from "@outlet/outlet/server";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await open("echo://:0");
 * using client = await connect(server.outlets[0]);
 * await client.write("hello\n");
 * assertEquals(await client.readLine(), "hello");
 * await client.closeWrite();
 * assertEquals(await client.readLine(), null);
 * ```
 *
 * @module
 */
import { connectWithRetry, endpointOf } from "../client/connect.ts";
import { Connection } from "../connection/connection.ts";
import { ClientConnection } from "./client_connection.ts";
import { type ConnectOptions, parseConnectOptions } from "./connect_options.ts";

export type { ClientConnection } from "./client_connection.ts";
export type { KeepAliveTimes } from "../transport/keep_alive_options.ts";
export type { StartTlsProtocol } from "../transport/starttls/protocols.ts";
export type { TlsClientConfig } from "../transport/tls/client_options.ts";
export type { WebSocketClientConfig } from "../transport/websocket/client_options.ts";
export type { ConnectOptions } from "./connect_options.ts";
export type { OptionValue } from "./open_options.ts";

/**
 * Connects to an outlet, or to any other service.
 *
 * @param target is an outlet of `open`, `HOST:PORT`, `tls://HOST:PORT`, `ws://HOST:PORT/PATH` or `unix:PATH`
 * @throws {UsageError} which names the option that is wrong, or not supported by the library
 * @throws {Error} which says what was tried, what failed, and what that means
 */
export async function connect(
  target: string | { readonly address: string },
  options: ConnectOptions = {},
): Promise<ClientConnection> {
  const word = typeof target === "string" ? target : target.address;
  const config = parseConnectOptions(word, options);
  const endpoint = await endpointOf(config.targets[0], config.options);
  const { socket } = await connectWithRetry(endpoint, { options: config.options, log() {} });
  return new ClientConnection(new Connection(socket, { id: 0 }));
}
