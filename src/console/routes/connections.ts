/**
 * The API of connections.
 *
 * @module
 */
import { z } from "zod";
import { TurnBudget } from "../../scheduling/turn_budget.ts";
import { entryJson } from "../recent_events.ts";
import {
  inOrder,
  readFilter,
  type Row,
  rowOf,
  SORTABLE,
  type SortKey,
} from "../connection_list.ts";
import type { KernelView } from "../kernel_view.ts";
import type { Ladder } from "../../trace/report/ladder.ts";
import type { LiveConnection } from "../../server/handle.ts";
import { ladderImage } from "../ladder_image.ts";
import { HttpError } from "../http_error.ts";
import type { ApiRequest } from "../request.ts";
import type { Routes } from "../router.ts";
import { readSendRequest, Sender, SENDING } from "../send_request.ts";
import type { ServerView } from "../server_view.ts";

/** The maximum and the default number of rows in a response. */
const LIMIT = { most: 1_000, usual: 100 };

/** The end reason of connections that the console closes. */
const REASON = "closed by the operator";

const CLOSING = z.union([
  z.strictObject({ ids: z.array(z.int()).max(10_000) }),
  z.strictObject({ filter: z.string() }),
]);

/** What the routes need. */
export interface ConnectionRoutesParts {
  /** The server. */
  readonly view: ServerView;
  /** The kernel's tables. */
  readonly kernel: KernelView;
  /** The handshake of a connection, captured or inferred; `undefined` for Unix sockets. */
  ladderOf(connection: LiveConnection): Ladder | undefined;
}

/** The routes of connections. */
export function connectionRoutes({ view, kernel, ladderOf }: ConnectionRoutesParts): Routes {
  const sender = new Sender();
  return {
    async "GET /connections"(request) {
      await kernel.refresh();
      return await page(view, { kernel, request });
    },
    async "GET /connections/:id"({ id }) {
      await kernel.refresh();
      return detail(id, { view, kernel });
    },
    "GET /connections/:id/ladder.svg": ({ id }) => ladderImage(ladderOf(view.entry(id).connection)),
    async "POST /connections/:id/send"(request) {
      const bytes = readSendRequest(await request.body(SENDING));
      return await sender.send(view.entry(request.id).connection, bytes);
    },
    "POST /connections/:id/end": ({ id }) => view.entry(id).connection.closeWrite(),
    "DELETE /connections/:id": ({ id }) => view.entry(id).connection.close(REASON),
    "POST /connections/close": async (request) => {
      const wanted = await request.body(CLOSING);
      await kernel.refresh();
      const closes = "ids" in wanted ? new Set(wanted.ids) : undefined;
      const fits = "filter" in wanted ? readFilter(wanted.filter) : () => false;
      let closed = 0;
      const budget = new TurnBudget();
      for (const entry of [...view.server.connections()]) {
        const turn = budget.spend();
        if (turn) await turn;
        const row = rowOf(entry, kernel);
        if (closes ? !closes.has(row.id) : !fits(row)) continue;
        entry.connection.close(REASON);
        closed++;
      }
      return { closed };
    },
  };
}

/**
 * The rows of a query and their total number. Connections are examined in turns of the event loop.
 */
async function page(
  view: ServerView,
  { kernel, request }: { kernel: KernelView; request: ApiRequest },
): Promise<object> {
  const { query } = request;
  const fits = readFilter(query.get("filter") ?? "");
  const sort = readSort(query);
  const offset = request.wholeNumber("offset", 0);
  const limit = Math.min(request.wholeNumber("limit", LIMIT.usual), LIMIT.most);
  const entries = [...view.server.connections()];
  const matching: Row[] = [];
  const budget = new TurnBudget();
  for (const entry of entries) {
    const row = rowOf(entry, kernel);
    if (fits(row)) matching.push(row);
    const turn = budget.spend();
    if (turn) await turn;
  }
  return {
    open: entries.length,
    matching: matching.length,
    offset,
    connections: inOrder(matching, sort).slice(offset, offset + limit),
  };
}

/** Parses `bytesIn`, or `-bytesIn` for descending order. */
function readSort(query: URLSearchParams): { key: SortKey; descending: boolean } {
  const word = query.get("sort") ?? "id";
  const key = SORTABLE.find((key) => key === word.replace(/^-/, ""));
  if (key) return { key, descending: word.startsWith("-") };
  throw new HttpError(400, `sort: expected one of ${SORTABLE.join(", ")}`, { field: "sort" });
}

/** A connection with its events; also after its end, as long as events are kept. */
function detail(
  id: number,
  { view, kernel }: Pick<ConnectionRoutesParts, "view" | "kernel">,
): object {
  const entry = view.find(id);
  const events = view.events.about(id).map((entry) => JSON.parse(entryJson(entry)));
  if (entry) {
    return { ...rowOf(entry, kernel), open: true, notes: entry.connection.notes, events };
  }
  if (events.length > 0) return { id, open: false, events };
  throw new HttpError(404, `there is no connection #${id}, or its events are no longer kept`);
}
