/**
 * The event stream: updates for the page, as server-sent events.
 *
 * @module
 */
import { encodeBase64 } from "@std/encoding/base64";
import type { OutboundConnections } from "../outbound_connections.ts";
import { TaskScope } from "../../scheduling/task_scope.ts";
import { EventStream } from "../event_stream.ts";
import { type Entry, entryJson } from "../recent_events.ts";
import { HttpError } from "../http_error.ts";
import type { ApiRequest } from "../request.ts";
import type { Routes } from "../router.ts";
import type { ServerView } from "../server_view.ts";
import { describeRooms } from "./rooms.ts";
import { type Piece, Transcript } from "../transcript.ts";

/**
 * The maximum share of the console's connections that are streams, and the maximum number of
 * watches of a stream.
 */
const LIMIT = { share: 3 / 4, watches: 16 };

/** The interval between updates of watched connections in milliseconds. */
const UPDATE_INTERVAL = 100;

/** What the streams need. */
export interface StreamRoutesParts {
  /** The server. */
  readonly view: ServerView;
  /** The outbound connections. */
  readonly outbound: OutboundConnections;
  /** The maximum number of connections of the console. */
  readonly maxConnections: number;
}

const tasks = new TaskScope("an event stream of the console", { consequence: "the others go on" });

/** The open event streams. Disposing it ends them. */
export class Streams implements Disposable {
  /** The routes of the streams and of earlier events. */
  readonly routes: Routes = {
    "GET /stream": (request) => this.#open(request),
    "GET /history": () => this.#parts.view.traffic.samples,
  };

  readonly #parts: StreamRoutesParts;
  readonly #streams = new Set<EventStream>();
  /** Distinguishes this console's event numbers from those of an earlier one. */
  readonly #epoch = Date.now().toString(36);

  /** Starts without streams. */
  constructor(parts: StreamRoutesParts) {
    this.#parts = parts;
  }

  /** Ends all streams. */
  [Symbol.dispose](): void {
    for (const stream of this.#streams) stream[Symbol.dispose]();
  }

  #open(request: ApiRequest): Response {
    const most = Math.floor(this.#parts.maxConnections * LIMIT.share);
    if (this.#streams.size >= most) {
      throw new HttpError(503, `${most} event streams are open already`);
    }
    const watches = readWatches(request.query);
    using undo = new DisposableStack();
    const stream = undo.use(new EventStream());
    this.#streams.add(stream);
    stream.use({ [Symbol.dispose]: () => void this.#streams.delete(stream) });
    this.#sendEvents(stream, request.header("last-event-id") ?? request.query.get("since") ?? "");
    stream.use(
      this.#parts.view.traffic.subscribe((sample) =>
        stream.send({ event: "sample", data: JSON.stringify(sample) })
      ),
    );
    if (watchesRooms(request.query)) this.#watchRooms(stream);
    if (watches.length > 0) this.#watch(stream, watches);
    undo.move();
    return new Response(stream.body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
    });
  }

  /** Sends the events after the reader's last ID, then each new one. */
  #sendEvents(stream: EventStream, lastId: string): void {
    const { events } = this.#parts.view;
    const [, epoch, number] = /^(\w+)-(\d+)$/.exec(lastId) ?? [];
    const { entries, missed } = events.since(epoch === this.#epoch ? Number(number) : 0);
    const resumed = epoch === this.#epoch;
    stream.send({ event: "hello", data: JSON.stringify({ epoch: this.#epoch, resumed, missed }) });
    const send = (entry: Entry) =>
      stream.send({ id: `${this.#epoch}-${entry.number}`, data: entryJson(entry) });
    entries.forEach(send);
    stream.use(events.subscribe(send));
  }

  /** Sends the rooms now, and again every second in which they have changed. */
  #watchRooms(stream: EventStream): void {
    const { view } = this.#parts;
    const send = changes(stream, { event: "rooms", of: () => describeRooms(view) });
    // Errors occur here, before the response has started.
    send();
    stream.use(view.traffic.subscribe(send));
  }

  /** Watches connections until the stream ends. */
  #watch(stream: EventStream, watches: readonly Watch[]): void {
    const views = watches.map((watch) => this.#view(watch, stream));
    const look = () => {
      if (stream.flows) { for (const view of views) tasks.run(view); }
    };
    const timer = setInterval(tasks.guard(look), UPDATE_INTERVAL);
    stream.use({ [Symbol.dispose]: () => clearInterval(timer) });
  }

  /** Returns a function that sends what is new about one connection. */
  #view({ kind, id, name }: Watch, stream: EventStream): () => void {
    const { view, outbound } = this.#parts;
    const send = (pieces: readonly Piece[]) => {
      if (pieces.length > 0) stream.send({ event: "bytes", data: bytesJson(name, pieces) });
    };
    if (kind === "connection") {
      const connection = view.find(id)?.connection;
      if (!connection) return () => {};
      const transcript = new Transcript(connection);
      stream.use(connection.tap(transcript));
      return () => send(transcript.take());
    }
    const client = outbound.get(id);
    send(client.transcript.pieces);
    const transcript = new Transcript(client.connection ?? { bytesIn: 0, bytesOut: 0 });
    stream.use(client.watch(transcript));
    const change = changes(stream, { event: "client", of: () => client.describe() });
    return () => {
      send(transcript.take());
      change();
    };
  }
}

/** Returns a function that sends a value if it has changed since the last call. */
function changes(
  stream: EventStream,
  { event, of }: { event: string; of(): object },
): () => void {
  let last: string | undefined;
  return () => {
    const data = JSON.stringify(of());
    if (data !== last) stream.send({ event, data });
    last = data;
  };
}

interface Watch {
  readonly kind: "connection" | "client";
  readonly id: number;
  readonly name: string;
}

function watchesRooms(query: URLSearchParams): boolean {
  return query.getAll("watch").includes("rooms");
}

function readWatches(query: URLSearchParams): readonly Watch[] {
  const names = query.getAll("watch").filter((name) => name !== "rooms");
  if (names.length > LIMIT.watches) {
    throw new HttpError(400, `expected at most ${LIMIT.watches} to watch`, { field: "watch" });
  }
  return names.map((name) => {
    const [, kind, id] = /^(connection|client):(\d{1,15})$/.exec(name) ?? [];
    if (kind) return { kind: kind as Watch["kind"], id: Number(id), name };
    throw new HttpError(400, "watch: expected connection:N, client:N or rooms", { field: "watch" });
  });
}

function bytesJson(of: string, pieces: readonly Piece[]): string {
  return JSON.stringify({
    of,
    pieces: pieces.map(({ bytes, ...piece }) => ({ ...piece, data: encodeBase64(bytes) })),
  });
}
