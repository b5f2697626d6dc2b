/**
 * How NATS servers are connected to.
 *
 * @module
 */
import type { Socket } from "node:net";
import {
  type ConnectionOptions,
  type NatsConnection,
  NatsConnectionImpl,
  setTransportFactory,
} from "@nats-io/transport-node";
import { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";
import { lookUp } from "../../transport/dial.ts";

/**
 * Connects like the library's own function, over sockets that cannot end the process.
 *
 * @internal
 */
export function connect(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({
    factory: () => new CalmTransport(),
    dnsResolveFn: async (host) => [...await lookUp(host)],
  });
  return NatsConnectionImpl.connect(options);
}

/**
 * Between its phases the library takes all listeners off a socket. What goes wrong with the socket just then
 * nobody would hear, and an error that nobody hears ends the process.
 */
class CalmTransport extends NodeTransport {
  override async dial(address: { hostname: string; port: number }): Promise<Socket> {
    return calm(await super.dial(address));
  }

  override async startTLS(): ReturnType<NodeTransport["startTLS"]> {
    return calm(await super.startTLS());
  }
}

function calm<T extends Socket>(socket: T): T {
  const removeAllListeners = socket.removeAllListeners.bind(socket);
  const listen = () => socket.on("error", () => {});
  socket.removeAllListeners = (...event) => {
    removeAllListeners(...event);
    return listen();
  };
  return listen();
}
