/**
 * What a proxy protocol is to its client.
 *
 * @module
 */
import type { InternetAddress } from "../../endpoint/address.ts";
import type { Credentials } from "../../endpoint/proxy.ts";
import type { ByteStream } from "../stream.ts";

/** Speaks one proxy protocol to its end, over a socket that is connected to the proxy. */
export type ProxyHandshake = (
  socket: ByteStream,
  request: { target: InternetAddress; credentials: Credentials | undefined },
) => Promise<void>;
