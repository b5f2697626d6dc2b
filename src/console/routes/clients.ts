/**
 * The API of outbound connections: dialling and sending.
 *
 * @module
 */
import { z } from "zod";
import { parseEndpoint, readHost } from "../../endpoint/parse.ts";
import { UsageError } from "../../options/usage_error.ts";
import type { InternetAddress } from "../../endpoint/address.ts";
import type { Connection } from "../../connection/connection.ts";
import type { OutboundConnections } from "../outbound_connections.ts";
import { ladderImage } from "../ladder_image.ts";
import { HttpError } from "../http_error.ts";
import { json, type Routes } from "../router.ts";
import { readSendRequest, Sender, SENDING } from "../send_request.ts";

const DIALLING = z.strictObject({
  host: z.string(),
  port: z.union([z.string(), z.int()]).transform(String),
  tls: z.boolean().default(false),
  insecure: z.boolean().default(false),
});

/** The routes of outbound connections. */
export function clientRoutes(outbound: OutboundConnections): Routes {
  const sender = new Sender();
  const connectionOf = (id: number): Connection => {
    const { connection, isEnded } = outbound.get(id);
    if (connection && !isEnded) return connection;
    throw new HttpError(409, `client ${id} is not connected`);
  };
  return {
    "GET /clients": () => outbound.all.map((connection) => connection.describe()),
    "GET /clients/:id": ({ id }) => outbound.get(id).describe(),
    async "POST /clients"(request) {
      const { host, port, tls, insecure } = await request.body(DIALLING);
      const connection = outbound.dial({ target: readTarget(host, port), tls, insecure });
      return json(connection.describe(), { status: 201 });
    },
    "GET /clients/:id/ladders/:index.svg": ({ id, params }) =>
      ladderImage(outbound.get(id).ladders[Number(params.index)]),
    async "POST /clients/:id/send"(request) {
      const bytes = readSendRequest(await request.body(SENDING));
      return await sender.send(connectionOf(request.id), bytes);
    },
    "POST /clients/:id/end": ({ id }) => connectionOf(id).closeWrite(),
    "POST /clients/:id/close": ({ id }) => outbound.get(id).close(),
    "DELETE /clients/:id": ({ id }) => outbound.forget(id),
  };
}

function readTarget(host: string, port: string): InternetAddress {
  try {
    readHost(host, "host");
  } catch (error) {
    throw new HttpError(400, (error as Error).message, { field: "host" });
  }
  try {
    return parseEndpoint({ host, port });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new HttpError(400, error.message, { field: "port" });
  }
}
