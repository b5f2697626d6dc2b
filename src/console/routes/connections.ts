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
import type { Asked } from "../request.ts";
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
  readonly subject: ServerView;
  /** The kernel's tables. */
  readonly kernel: KernelView;
  /** The handshake of a connection, captured or inferred; `undefined` for Unix sockets. */
  ladderOf(connection: LiveConnection): Ladder | undefined;
}

/** The routes of connections. */
export function connectionRoutes({ subject, kernel, ladderOf }: ConnectionRoutesParts): Routes {
  const sender = new Sender();
  return {
    async "GET /connections"(asked) {
      await kernel.refresh();
      return await page(subject, { kernel, asked });
    },
    async "GET /connections/:id"({ id }) {
      await kernel.refresh();
      return detail(id, { subject, kernel });
    },
    "GET /connections/:id/ladder.svg": ({ id }) =>
      ladderImage(ladderOf(subject.visit(id).connection)),
    async "POST /connections/:id/send"(asked) {
      const bytes = readSendRequest(await asked.body(SENDING));
      return await sender.send(subject.visit(asked.id).connection, bytes);
    },
    "POST /connections/:id/end": ({ id }) => subject.visit(id).connection.closeWrite(),
    "DELETE /connections/:id": ({ id }) => subject.visit(id).connection.close(REASON),
    "POST /connections/close": async (asked) => {
      const wanted = await asked.body(CLOSING);
      await kernel.refresh();
      const closes = "ids" in wanted ? new Set(wanted.ids) : undefined;
      const fits = "filter" in wanted ? readFilter(wanted.filter) : () => false;
      let closed = 0;
      const budget = new TurnBudget();
      for (const visit of [...subject.server.connections()]) {
        const turn = budget.spend();
        if (turn) await turn;
        const row = rowOf(visit, kernel);
        if (closes ? !closes.has(row.id) : !fits(row)) continue;
        visit.connection.close(REASON);
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
  subject: ServerView,
  { kernel, asked }: { kernel: KernelView; asked: Asked },
): Promise<object> {
  const { query } = asked;
  const fits = readFilter(query.get("filter") ?? "");
  const sort = readSort(query);
  const offset = asked.wholeNumber("offset", 0);
  const limit = Math.min(asked.wholeNumber("limit", LIMIT.usual), LIMIT.most);
  const visits = [...subject.server.connections()];
  const matching: Row[] = [];
  const budget = new TurnBudget();
  for (const visit of visits) {
    const row = rowOf(visit, kernel);
    if (fits(row)) matching.push(row);
    const turn = budget.spend();
    if (turn) await turn;
  }
  return {
    open: visits.length,
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
  { subject, kernel }: Pick<ConnectionRoutesParts, "subject" | "kernel">,
): object {
  const visit = subject.find(id);
  const events = subject.events.about(id).map((entry) => JSON.parse(entryJson(entry)));
  if (visit) {
    return { ...rowOf(visit, kernel), open: true, notes: visit.connection.notes, events };
  }
  if (events.length > 0) return { id, open: false, events };
  throw new HttpError(404, `there is no connection #${id}, and none is remembered`);
}
