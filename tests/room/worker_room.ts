/** A worker with a server of its own, whose rooms are those of the other workers too. */
import { configOf } from "../harness/server.ts";
import { BroadcastBus } from "../../src/room/broadcast_bus.ts";
import { Server } from "../../src/server.ts";

/** What the test asks of the worker. */
export type Order = { open: readonly string[]; bus: string } | { close: true };

let server: Server;

self.addEventListener("message", async (event) => {
  const order = (event as MessageEvent<Order>).data;
  if ("open" in order) {
    server = await Server.open(configOf(order.open));
    await server.rooms.extend(new BroadcastBus(order.bus));
    postMessage(Array.from(server.outlets, ({ address }) => "port" in address && address.port));
  } else {
    await server[Symbol.asyncDispose]();
    await server.rooms[Symbol.asyncDispose]();
    postMessage("closed");
  }
});

declare function postMessage(message: unknown): void;
