/**
 * A server inside the test, started with command-line arguments.
 *
 * @module
 */
import { parseServerArgs } from "../../src/cli/server_args.ts";
import type { ServerConfig } from "../../src/config/server_config.ts";
import type { OutletEvent } from "../../src/events/events.ts";
import { EventBus } from "../../src/events/event_bus.ts";
import { Server } from "../../src/server.ts";
import { type Address, formatAddress } from "../../src/endpoint/address.ts";
import { isUnix } from "../../src/endpoint/address.ts";
import { libc } from "../../src/transport/libc.ts";

// Loaded once per process, so the sanitizer of the first test would report it as a leak.
libc();

type EventOf<Name extends OutletEvent["event"]> = Extract<OutletEvent, { event: Name }>;

/** Time limit for an event, in milliseconds. */
const TIME_LIMIT = 20_000;

/** A running server, and all its events. */
export class TestServer implements AsyncDisposable {
  readonly server: Server;
  readonly events: OutletEvent[] = [];
  readonly eventBus: EventBus;

  private constructor(server: Server, eventBus: EventBus, events: OutletEvent[]) {
    this.server = server;
    this.eventBus = eventBus;
    this.events = events;
  }

  /** Opens `outlet server WORDS…`. */
  static open(...args: string[]): Promise<TestServer> {
    return TestServer.openWith(new EventBus(), args);
  }

  /** The same, with an event bus that already has subscribers. */
  static async openWith(eventBus: EventBus, args: readonly string[]): Promise<TestServer> {
    const events: OutletEvent[] = [];
    eventBus.subscribe((event) => events.push(event));
    return new TestServer(await Server.open(configOf(args), { eventBus }), eventBus, events);
  }

  /** The port of its first outlet, or of another one. */
  port(index = 0): number {
    const { address } = [...this.server.outlets][index]!;
    if (isUnix(address)) throw new Error(`outlet ${index} is at ${address.path}, not at a port`);
    return address.port;
  }

  /** A TCP client of its first outlet, or of another one. */
  connect(index = 0): Promise<Deno.TcpConn> {
    return Deno.connect({ hostname: "127.0.0.1", port: this.port(index) });
  }

  /** Resolves to the first event with this name that matches, past or future. */
  async event<Name extends OutletEvent["event"]>(
    name: Name,
    accepts: (event: EventOf<Name>) => boolean = () => true,
  ): Promise<EventOf<Name>> {
    const fits = (event: OutletEvent): event is EventOf<Name> =>
      event.event === name && accepts(event as EventOf<Name>);
    const event = this.events.find(fits);
    if (event) return event as EventOf<Name>;
    const { promise, resolve, reject } = Promise.withResolvers<EventOf<Name>>();
    const timer = setTimeout(
      () => reject(new Error(`no "${name}" came; so far: ${JSON.stringify(this.events)}`)),
      TIME_LIMIT,
    );
    using _ = this.eventBus.subscribe((event) => fits(event) && resolve(event));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

/** Matches the events of this client's connection. */
export function from(client: Deno.TcpConn): (event: { peer: Address }) => boolean {
  const { hostname, port } = client.localAddr;
  const own = formatAddress({ hostname, port });
  return ({ peer }) => formatAddress(peer) === own;
}

/** The config of these command-line arguments. */
export function configOf(args: readonly string[]): ServerConfig {
  const command = parseServerArgs(args);
  if ("config" in command) return command.config;
  throw new Error(`a test server has no file: ${args.join(" ")}`);
}
