/**
 * WebSocket for servers, over any accepted stream.
 *
 * @module
 */
import { deadline } from "@std/async/deadline";
import { formatDuration } from "../../options/quantity.ts";
import { isReset } from "../errors.ts";
import { withPrefix } from "../prefix.ts";
import { closeOnTimeout } from "../read_timeout.ts";
import { PeerRefused, type Stage, type StageContext } from "../stage.ts";
import type { ByteStream } from "../stream.ts";
import { writeAll } from "../write_all.ts";
import { forwardedFor, type Trust } from "./forwarded_for.ts";
import { HeadError, HeadReader, type HttpHead } from "../http_head.ts";
import { KeepAlive } from "./keep_alive.ts";
import type { MessageForm } from "./message_encoder.ts";
import { answerUpgrade, type UpgradeAnswer, type UpgradeRules } from "./upgrade.ts";
import { WebSocketStream } from "./websocket_stream.ts";

/** The WebSocket settings of a server. */
export interface WebSocketServer extends UpgradeRules {
  /** What is sent in a message. */
  readonly form: MessageForm;
  /** The maximum length of a received message in bytes. */
  readonly maxMessage: number;
  /** The interval of pings in milliseconds; 0 for none. */
  readonly ping: number;
  /** The proxies whose `X-Forwarded-For` names the client. */
  readonly forwarders?: Trust | undefined;
}

/** The time limit of a request in milliseconds. */
const REQUEST_TIMEOUT = 10_000;

/** The most characters of a request target in a note. */
const MAX_NOTE = 100;

/** How long a refused client may take to close, in milliseconds. */
const LINGERING_CLOSE = 1_000;

/** A stage that answers the opening handshake. Refused clients get an HTTP response that says why. */
export function websocketStage(server: WebSocketServer): Stage {
  const keepAlive = new KeepAlive(server.ping);
  return async (stream, context) => {
    stream.setNoDelay(true);
    const { head, rest } = await readRequest(stream, context.signal);
    const answer = answerUpgrade(head, server);
    if (answer.refusal !== undefined) return await refuse(stream, answer);
    identify(head, { server, context });
    await send(stream, answer);
    context.note("ws", head.start.split(" ")[1]!.slice(0, MAX_NOTE));
    context.note("subprotocol", answer.subprotocol);
    return new WebSocketStream(rest.length > 0 ? withPrefix(stream, rest) : stream, {
      role: "server",
      form: server.form,
      maxMessage: server.maxMessage,
      keepAlive,
      note: (name, value) => context.note(name, value),
    });
  };
}

function identify(
  head: HttpHead,
  { server: { forwarders }, context }: { server: WebSocketServer; context: StageContext },
): void {
  const client = forwarders && forwardedFor(head, { sender: context.peer, trust: forwarders });
  if (client) context.peer = client;
}

async function readRequest(
  stream: ByteStream,
  signal: AbortSignal,
): Promise<{ head: HttpHead; rest: Uint8Array }> {
  using limit = closeOnTimeout(stream, {
    signal,
    timeout: REQUEST_TIMEOUT,
    late: `no whole request in ${formatDuration(REQUEST_TIMEOUT)}`,
  });
  const reader = new HeadReader("request");
  try {
    for (;;) {
      const length = await stream.read(reader.space);
      if (length === null) throw new HeadError("ended before a whole request");
      const found = reader.take(length);
      if (found) return found;
    }
  } catch (error) {
    if (limit.reason !== undefined) throw new PeerRefused(`WebSocket: ${limit.reason}`);
    if (error instanceof HeadError) return await refuse(stream, badRequest(error));
    throw new PeerRefused(
      `WebSocket: ${isReset(error) ? "reset" : "broken"} before a whole request`,
    );
  }
}

function badRequest({ message }: HeadError): UpgradeAnswer {
  return {
    lines: ["HTTP/1.1 400 Bad Request", "Connection: close", "Content-Length: 0"],
    refusal: message,
  };
}

/** Answers, and closes without a RST: the client could lose the answer. */
async function refuse(stream: ByteStream, answer: UpgradeAnswer): Promise<never> {
  try {
    await deadline(answerAndDiscard(stream, answer), LINGERING_CLOSE);
  } catch {
    // The client is gone or does not read.
  }
  throw new PeerRefused(`WebSocket: ${answer.refusal}`);
}

async function answerAndDiscard(stream: ByteStream, answer: UpgradeAnswer): Promise<void> {
  await send(stream, answer);
  await stream.closeWrite();
  const discarded = new Uint8Array(4 * 1024);
  while (await stream.read(discarded) !== null);
}

async function send(stream: ByteStream, { lines, body = "" }: UpgradeAnswer): Promise<void> {
  const text = `${lines.join("\r\n")}\r\n\r\n${body}`;
  await writeAll(stream, new TextEncoder().encode(text));
}
