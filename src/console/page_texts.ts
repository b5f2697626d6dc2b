/**
 * The table of the page's files and their texts. `preact.js` and `uplot.js` in `page/` only declare
 * types; the page gets the packages' files instead.
 *
 * @module
 */
export { default as "api.js" } from "./page/api.js" with { type: "text" };
export { default as "app.js" } from "./page/app.js" with { type: "text" };
export { default as "base.css" } from "./page/base.css" with { type: "text" };
export { default as "byte_text.js" } from "./page/byte_text.js" with { type: "text" };
export { default as "charts.js" } from "./page/charts.js" with { type: "text" };
export { default as "client.js" } from "./page/client.js" with { type: "text" };
export { default as "connection.js" } from "./page/connection.js" with { type: "text" };
export { default as "connections.js" } from "./page/connections.js" with { type: "text" };
export { default as "controls.css" } from "./page/controls.css" with { type: "text" };
export { default as "conversation.css" } from "./page/conversation.css" with { type: "text" };
export { default as "conversation.js" } from "./page/conversation.js" with { type: "text" };
export { default as "dial_form.js" } from "./page/dial_form.js" with { type: "text" };
export { default as "escapes.js" } from "./page/escapes.js" with { type: "text" };
export { default as "event_text.js" } from "./page/event_text.js" with { type: "text" };
export { default as "format.js" } from "./page/format.js" with { type: "text" };
export { default as "frame.css" } from "./page/frame.css" with { type: "text" };
export { default as "hooks.js" } from "./page/hooks.js" with { type: "text" };
export { default as "icon.svg" } from "./page/icon.svg" with { type: "text" };
export { default as "index.html" } from "./page/index.html" with { type: "text" };
export { default as "ladder.js" } from "./page/ladder.js" with { type: "text" };
export { default as "lists.css" } from "./page/lists.css" with { type: "text" };
export { default as "live.js" } from "./page/live.js" with { type: "text" };
export { default as "messages.css" } from "./page/messages.css" with { type: "text" };
export { default as "messages.js" } from "./page/messages.js" with { type: "text" };
export { default as "option_field.js" } from "./page/option_field.js" with { type: "text" };
export { default as "outlet_form.js" } from "./page/outlet_form.js" with { type: "text" };
export { default as "outlets.js" } from "./page/outlets.js" with { type: "text" };
export { default as "parts.js" } from "./page/parts.js" with { type: "text" };
export { default as "room.js" } from "./page/room.js" with { type: "text" };
export { default as "rooms.js" } from "./page/rooms.js" with { type: "text" };
export { default as "route.js" } from "./page/route.js" with { type: "text" };
export { default as "row_window.js" } from "./page/row_window.js" with { type: "text" };
export { default as "send_form.js" } from "./page/send_form.js" with { type: "text" };
export { default as "sign_in.js" } from "./page/sign_in.js" with { type: "text" };
export { default as "sparkline.js" } from "./page/sparkline.js" with { type: "text" };
export { default as "transcript.js" } from "./page/transcript.js" with { type: "text" };
export { default as "preact.js" } from "htm/preact/standalone" with { type: "text" };
export { default as "uplot.js" } from "uplot/dist/uPlot.esm.js" with { type: "text" };
export { default as "uplot.css" } from "uplot/dist/uPlot.min.css" with { type: "text" };
