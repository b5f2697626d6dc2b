/**
 * The files of the page. They are part of the program, also when it is compiled: nothing is read from disk,
 * so no path leads anywhere but to these.
 *
 * @module
 */
import preact from "htm/preact/standalone" with { type: "text" };
import uplot from "uplot/dist/uPlot.esm.js" with { type: "text" };
import uplotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import apiJs from "./page/api.js" with { type: "text" };
import appJs from "./page/app.js" with { type: "text" };
import byteTextJs from "./page/byte_text.js" with { type: "text" };
import chartsJs from "./page/charts.js" with { type: "text" };
import clientJs from "./page/client.js" with { type: "text" };
import connectionJs from "./page/connection.js" with { type: "text" };
import connectionsJs from "./page/connections.js" with { type: "text" };
import conversationJs from "./page/conversation.js" with { type: "text" };
import escapesJs from "./page/escapes.js" with { type: "text" };
import formatJs from "./page/format.js" with { type: "text" };
import hooksJs from "./page/hooks.js" with { type: "text" };
import iconSvg from "./page/icon.svg" with { type: "text" };
import indexHtml from "./page/index.html" with { type: "text" };
import ladderJs from "./page/ladder.js" with { type: "text" };
import liveJs from "./page/live.js" with { type: "text" };
import messagesJs from "./page/messages.js" with { type: "text" };
import optionFieldJs from "./page/option_field.js" with { type: "text" };
import outletFormJs from "./page/outlet_form.js" with { type: "text" };
import outletsJs from "./page/outlets.js" with { type: "text" };
import partsJs from "./page/parts.js" with { type: "text" };
import roomJs from "./page/room.js" with { type: "text" };
import roomsJs from "./page/rooms.js" with { type: "text" };
import routeJs from "./page/route.js" with { type: "text" };
import rowWindowJs from "./page/row_window.js" with { type: "text" };
import sendFormJs from "./page/send_form.js" with { type: "text" };
import signInJs from "./page/sign_in.js" with { type: "text" };
import sparklineJs from "./page/sparkline.js" with { type: "text" };
import styleCss from "./page/style.css" with { type: "text" };
import tellJs from "./page/tell.js" with { type: "text" };
import transcriptJs from "./page/transcript.js" with { type: "text" };
import { HttpError } from "./http_error.ts";

const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/**
 * The page's own modules stand here as they are. `preact.js` and `uplot.js` beside them only say to the type
 * checker what the packages' files are, which the page is given instead.
 */
const FILES: Readonly<Record<string, string>> = {
  "api.js": apiJs,
  "app.js": appJs,
  "byte_text.js": byteTextJs,
  "charts.js": chartsJs,
  "client.js": clientJs,
  "connection.js": connectionJs,
  "connections.js": connectionsJs,
  "conversation.js": conversationJs,
  "escapes.js": escapesJs,
  "format.js": formatJs,
  "hooks.js": hooksJs,
  "icon.svg": iconSvg,
  "index.html": indexHtml,
  "ladder.js": ladderJs,
  "live.js": liveJs,
  "messages.js": messagesJs,
  "option_field.js": optionFieldJs,
  "outlet_form.js": outletFormJs,
  "outlets.js": outletsJs,
  "parts.js": partsJs,
  "room.js": roomJs,
  "rooms.js": roomsJs,
  "route.js": routeJs,
  "row_window.js": rowWindowJs,
  "send_form.js": sendFormJs,
  "sign_in.js": signInJs,
  "sparkline.js": sparklineJs,
  "style.css": styleCss,
  "tell.js": tellJs,
  "transcript.js": transcriptJs,
  "preact.js": preact,
  "uplot.js": uplot,
  "uplot.css": uplotStyle,
};

/** The names of the page's files. */
export const PAGE_FILES: readonly string[] = Object.keys(FILES);

/**
 * A file of the page; `/` is `index.html`.
 *
 * @throws {HttpError} with status 404 or 405
 */
export function pageFile({ method, url }: Request): Response {
  const path = new URL(url).pathname;
  const name = path === "/" ? "index.html" : path.slice(1);
  if (!Object.hasOwn(FILES, name)) throw new HttpError(404, `there is no ${path}`);
  if (method !== "GET" && method !== "HEAD") throw new HttpError(405, `${path} takes GET`);
  const type = TYPES[name.slice(name.lastIndexOf(".") + 1)]!;
  return new Response(method === "HEAD" ? null : FILES[name]!, {
    headers: { "content-type": type, "cache-control": "no-cache" },
  });
}
