/**
 * The WebSocket options of an outlet.
 *
 * @module
 */
import { REQUEST_PATH } from "../endpoint/request_target.ts";
import { DURATION, SIZE } from "../options/kinds.ts";
import { flag, list, option, type TableOf } from "../options/option.ts";
import { SUBPROTOCOL } from "../transport/websocket/client_options.ts";
import { ORIGIN } from "../transport/websocket/origin.ts";

/** The values of an outlet's WebSocket options. */
export interface WebSocketServerConfig {
  /** Whether the outlet speaks WebSocket. */
  readonly ws: boolean;
  /** The only request path that is served. */
  readonly path: string | undefined;
  /** Origins of pages that may connect beside those of the same host and port. */
  readonly origin: readonly string[];
  /** The supported subprotocols, preferred first. */
  readonly subprotocol: readonly string[];
  /** Whether text messages are sent. */
  readonly text: boolean;
  /** Whether messages are lines of text. */
  readonly "text-lines": boolean;
  /** The most bytes of a received message. */
  readonly "max-message": number;
  /** The interval of pings in milliseconds. */
  readonly ping: number;
  /** Whether trusted proxies name the client in `X-Forwarded-For`. */
  readonly "forwarded-for": boolean;
}

/** The options of {@linkcode WebSocketServerConfig}. */
export const WEBSOCKET_SERVER_OPTIONS: TableOf<WebSocketServerConfig> = {
  ws: flag("speak WebSocket, as SERVICE+ws:// does"),
  path: option(REQUEST_PATH, "accept WebSockets only at this request path", {
    needs: ["ws"],
    defaultText: "any",
  }),
  origin: list(ORIGIN, "accept pages of this origin, too, such as https://example.org; *: of any", {
    needs: ["ws"],
    defaultText: "only pages of the same host and port",
  }),
  subprotocol: list(SUBPROTOCOL, "WebSocket subprotocols to accept, preferred first", {
    needs: ["ws"],
    defaultText: "binary",
  }),
  text: flag("send text messages instead of binary ones", { needs: ["ws"] }),
  "text-lines": flag("send a text message for each line, and take each message for a line", {
    needs: ["ws"],
    excludes: ["text"],
  }),
  "max-message": option(SIZE, "maximum size of a received WebSocket message", {
    needs: ["ws"],
    default: 16 * 1024 * 1024,
    defaultText: "16M",
  }),
  ping: option(
    DURATION,
    "interval of WebSocket pings; without an answer the connection ends; 0: none",
    {
      needs: ["ws"],
      default: 30_000,
      defaultText: "30s",
    },
  ),
  "forwarded-for": flag("take the client's address from X-Forwarded-For of a trusted-proxy", {
    needs: ["ws"],
    excludes: ["accept-proxy"],
  }),
};
