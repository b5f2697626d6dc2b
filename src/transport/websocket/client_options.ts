/**
 * The WebSocket options of a client.
 *
 * @module
 */
import { REQUEST_TARGET } from "../../endpoint/request_target.ts";
import { DURATION, type OptionKind } from "../../options/kinds.ts";
import { flag, list, option, repeatable, type TableOf } from "../../options/option.ts";

/** The values of a client's WebSocket options. */
export interface WebSocketClientConfig {
  /** The request target, where WebSocket is spoken; also set by `ws://` and `wss://`. */
  readonly ws: string | undefined;
  /** Further fields of the request. */
  readonly header: readonly string[];
  /** The subprotocols to offer, preferred first. */
  readonly subprotocol: readonly string[];
  /** Whether lines are sent as text messages, and messages shown as lines. */
  readonly text: boolean;
  /** Whether what is read is sent as binary messages. */
  readonly binary: boolean;
  /** The interval of pings in milliseconds. */
  readonly ping: number;
}

/** Fields that the handshake itself sends. */
const OWN = /^(upgrade|connection|content-length|transfer-encoding|sec-websocket-.*)$/i;

/** A field of an HTTP request. */
const HEADER: OptionKind<string> = {
  expects: "a field such as 'Authorization: Bearer …', none that the handshake sends itself",
  placeholder: "NAME:VALUE",
  parse(word) {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e]*)$/.exec(word) ?? [];
    return name === undefined || OWN.test(name) ? undefined : `${name}: ${value}`;
  },
};

/** The name of a subprotocol. */
export const SUBPROTOCOL: OptionKind<string> = {
  expects: "the name of a subprotocol, such as binary",
  placeholder: "NAME",
  parse: (word) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(word) ? word : undefined,
};

/** The options of {@linkcode WebSocketClientConfig}. */
export const WEBSOCKET_CLIENT_OPTIONS: TableOf<WebSocketClientConfig> = {
  ws: option(
    REQUEST_TARGET,
    "speak WebSocket, with this request path, as ws://HOST:PORT/PATH does",
  ),
  header: repeatable(HEADER, "add this field to the WebSocket request", {
    needs: ["ws"],
    secret: true,
  }),
  subprotocol: list(SUBPROTOCOL, "WebSocket subprotocols to offer, preferred first", {
    needs: ["ws"],
  }),
  text: flag("send a text message for each line, and show each message as a line", {
    needs: ["ws"],
    excludes: ["binary"],
    defaultText: "at a terminal",
  }),
  binary: flag("send binary messages, and show the bytes of messages as they come", {
    needs: ["ws"],
    defaultText: "unless at a terminal",
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
};
