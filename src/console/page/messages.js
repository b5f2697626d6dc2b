// @ts-check
/** The live events, and their counts. */
import { html, useRef, useState } from "./preact.js";
import { Charts } from "./charts.js";
import { clock, count } from "./format.js";
import { useLive, useRefresh } from "./hooks.js";
import { live } from "./live.js";
import { Empty, Heading } from "./parts.js";
import { eventText } from "./event_text.js";

/** The maximum number of events shown. */
const SHOWN = 300;

export function Messages() {
  const refresh = useRefresh();
  useLive("event", refresh);
  useLive("hello", refresh);
  const [filter, setFilter] = useState("");
  const [kind, setKind] = useState(/** @type {string | undefined} */ (undefined));
  const paused = useRef(/** @type {import("./live.js").LoggedEvent[] | undefined} */ (undefined));
  const events = paused.current ?? live.events;
  const fitting = events.filter((event) => fits(event, { filter, kind }));
  const pause = () => {
    paused.current = paused.current ? undefined : [...live.events];
    refresh();
  };
  return html`
    <${Heading} title="Messages" />
    <${Charts} />
    <div class="toolbar">
      <input type="search" aria-label="Filter messages" placeholder="Filter" value=${filter}
        spellcheck="false"
        onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} />
      <button aria-pressed=${!!paused.current} onClick=${pause}>
        ${paused.current ? `Resume (${count(newSince(paused.current))} new)` : "Pause"}
      </button>
      <div class="chips" role="group" aria-label="Event types">
        ${[...live.counts.keys()].map((name) => chip(name, { kind, setKind }))}
      </div>
    </div>
    <div class="card messages" role="log" aria-label="Messages" tabindex="0">
      ${fitting.length === 0 && html`<${Empty} title="No messages">
        ${
        events.length > 0 ? "No event matches the filter." : "Events are shown as they happen."
      }<//>`}
      ${fitting.slice(-SHOWN).reverse().map(line)}
    </div>
  `;
}

/**
 * The button that filters by one kind of event, or shows all again.
 * @param {string} name
 * @param {{ kind: string | undefined, setKind: (kind: string | undefined) => void }} state
 */
function chip(name, { kind, setKind }) {
  return html`
    <button key=${name} class="chip" aria-pressed=${kind === name}
      onClick=${() => setKind(kind === name ? undefined : name)}>
      ${name} <span class="number">${count(live.counts.get(name) ?? 0)}</span>
    </button>
  `;
}

/** @param {import("./live.js").LoggedEvent} event */
function line(event) {
  const about = event.connection === undefined
    ? eventText(event)
    : html`<a href=${`#/connections/${event.connection}`}>${eventText(event)}</a>`;
  return html`
    <p class=${`message level-${event.level}`} key=${event.key}>
      <time class="quiet">${clock(event.time)}</time>
      <span class=${`message-kind kind-${event.event}`}>${event.event}</span>
      <span class="message-text">${event.outlet && html`
        <strong>${event.outlet}</strong>
      `}${" "}${about}</span>
    </p>
  `;
}

/** @param {import("./live.js").LoggedEvent} event @param {{ filter: string, kind: string | undefined }} wanted */
function fits(event, { filter, kind }) {
  if (kind !== undefined && event.event !== kind) return false;
  const text = `${event.event} ${event.outlet ?? ""} ${eventText(event)}`.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** @param {import("./live.js").LoggedEvent[]} then */
function newSince(then) {
  const last = then.at(-1);
  return live.events.length - 1 - live.events.findIndex(({ key }) => key === last?.key);
}
