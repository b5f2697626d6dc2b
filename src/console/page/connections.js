// @ts-check
/** The list of connections. */
import { html, useEffect, useRef, useState } from "./preact.js";
import { get, post, remove } from "./api.js";
import { count, duration, size } from "./format.js";
import { useAttempt, usePolled } from "./hooks.js";
import { Empty, Fault, Heading, State } from "./parts.js";
import { RowWindow, useRowWindow } from "./row_window.js";
import { Rates, Sparkline } from "./sparkline.js";

/** @typedef {{ id: number, outlet: string, address: string, peer: string, state?: string, age: number, bytesIn: number, bytesOut: number, halfClosed: boolean }} Connection */

/** Sort keys and titles of the columns; `-` sorts in descending order. */
const COLUMNS = [
  ["id", "#"],
  ["peer", "Client"],
  ["state", "State"],
  ["-age", "Age"],
  ["-bytesIn", "Received"],
  ["-bytesOut", "Sent"],
];

/** @param {{ filter: string }} props */
export function Connections({ filter: initial }) {
  const [filter, setFilter] = useState(initial);
  useEffect(() => setFilter(initial), [initial]);
  const [sort, setSort] = useState("id");
  const [chosen, setChosen] = useState(/** @type {ReadonlySet<number>} */ (new Set()));
  const { page, ref, rates, fault, again } = usePage(filter, sort);
  const { error, attempt } = useAttempt();
  const close = async (/** @type {object} */ body) => {
    if (await attempt(() => post("connections/close", body))) setChosen(new Set());
    again();
  };
  const closeOne = async (/** @type {number} */ id) => {
    await attempt(() => remove(`connections/${id}`));
    again();
  };
  const choose = (/** @type {number} */ id, /** @type {boolean} */ on) => {
    const next = new Set(chosen);
    on ? next.add(id) : next.delete(id);
    setChosen(next);
  };
  const row = (/** @type {Connection} */ connection) =>
    html`
      <${Row} key=${connection.id} connection=${connection} close=${closeOne}
        rates=${rates?.of(connection.id) ?? []}
        chosen=${chosen.has(connection.id)} choose=${choose} />
    `;
  return html`
    <${Heading} title="Connections">
      <span class="quiet" aria-live="polite">${countWords(page)}</span>
      <//>
      <${Toolbar} filter=${filter} setFilter=${setFilter} sort=${sort} setSort=${setSort}
        chosen=${chosen} matching=${page?.matching ?? 0} close=${close} />
      <${Fault} error=${error ?? fault} />
      <${Table} page=${page} scroller=${ref} sort=${sort} setSort=${setSort}
        row=${row} />
  `;
}

/**
 * The visible rows, asked for again every second, and the rates of their bytes.
 * @param {string} filter @param {string} sort
 */
function usePage(filter, sort) {
  const rates = useRef(new Rates());
  const [total, setTotal] = useState(0);
  const { ref, offset, limit } = useRowWindow(total);
  const ask = async () => {
    const query = new URLSearchParams({ filter, sort, offset: `${offset}`, limit: `${limit}` });
    const page = await get(`connections?${query}`);
    for (const { id, bytesIn, bytesOut } of page.connections) {
      rates.current?.note(id, bytesIn + bytesOut);
    }
    rates.current?.sweep();
    setTotal(page.matching);
    return page;
  };
  const { answer: page, fault, again } = usePolled(ask, [filter, sort, offset, limit]);
  return { page, ref, rates: rates.current, fault, again };
}

/** @param {{ filter: string, setFilter: (filter: string) => void, sort: string, setSort: (sort: string) => void, chosen: ReadonlySet<number>, matching: number, close: (body: object) => void }} props */
function Toolbar({ filter, setFilter, sort, setSort, chosen, matching, close }) {
  return html`
    <div class="toolbar">
      <input type="search" aria-label="Filter" placeholder="Filter: client, outlet, state, #number"
        value=${filter} maxlength="200" spellcheck="false"
        onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} />
      <label class="narrow-only">Sort
        <select value=${sort} onChange=${(/** @type {any} */ event) => setSort(event.target.value)}>
          ${COLUMNS.map(([key, title]) =>
            html`<option value=${key}>${title === "#" ? "Number" : title}</option>`
          )}
        </select>
      </label>
      <button class="danger" disabled=${chosen.size === 0} onClick=${() =>
        close({ ids: [...chosen] })}>
        Close selected${chosen.size > 0 ? ` (${chosen.size})` : ""}
      </button>
      <button class="danger" disabled=${filter.trim() === "" || matching === 0}
        onClick=${() => close({ filter })}>Close all matching</button>
    </div>
  `;
}

/** @param {{ page: any, scroller: any, sort: string, setSort: (sort: string) => void, row: (connection: Connection) => any }} props */
function Table({ page, scroller, sort, setSort, row }) {
  return html`
    <div class="card grid-card" role="table" aria-label="Connections"
      aria-rowcount=${page?.matching ?? 0}>
      <div class="row-scroll" ref=${scroller} tabindex="0" aria-label="Connections, scrolling">
        ${header(sort, setSort)}
        ${page && page.matching === 0 && noConnections(page.open)}
        <${RowWindow} total=${page?.matching ?? 0} offset=${page?.offset ?? 0}>
          ${page?.connections.map(row)}
        <//>
      </div>
    </div>
  `;
}

/** @param {{ open: number, matching: number } | undefined} page */
function countWords(page) {
  if (!page) return "";
  return page.matching === page.open
    ? `${count(page.open)} open`
    : `${count(page.matching)} of ${count(page.open)}`;
}

/** @param {number} open */
function noConnections(open) {
  return open > 0
    ? html`<${Empty} title="No matches">${count(open)} connections are open.<//>`
    : html`<${Empty} title="No connections">
        Connect with <code>ncat 127.0.0.1 7000</code> or with <a href="#/client">the client</a>.<//>`;
}

/** @param {string} sort @param {(sort: string) => void} setSort */
function header(sort, setSort) {
  return html`
    <div class="grid-row grid-head" role="row">
      <span role="columnheader"><span class="visually-hidden">Select</span></span>
      ${COLUMNS.map(([key = "", title]) => {
        const [plain, turned] = [
          key.replace("-", ""),
          key.startsWith("-") ? key.slice(1) : `-${key}`,
        ];
        const sorted = sort.replace("-", "") === plain;
        const order = sort.startsWith("-") ? "descending" : "ascending";
        return html`
          <span role="columnheader" class=${`col-${plain}`} aria-sort=${sorted ? order : "none"}>
            <button class="plain" onClick=${() => setSort(sort === key ? turned : key)}>
              ${title}${sorted &&
                html`<span aria-hidden="true"> ${sort.startsWith("-") ? "↓" : "↑"}</span>`}
            </button>
          </span>
        `;
      })}
      <span role="columnheader" class="col-rate">Rate</span>
      <span role="columnheader"><span class="visually-hidden">Close</span></span>
    </div>
  `;
}

/** @param {{ connection: Connection, rates: number[], chosen: boolean, choose: (id: number, on: boolean) => void, close: (id: number) => void }} props */
function Row({ connection, rates, chosen, choose, close }) {
  const { id, outlet, address, peer, state, age, bytesIn, bytesOut, halfClosed } = connection;
  return html`
    <div class="grid-row" role="row">
      <span role="cell"><input type="checkbox" aria-label=${`Select #${id}`} checked=${chosen}
        onChange=${(/** @type {any} */ event) => choose(id, event.target.checked)} /></span>
      <span role="cell" class="col-id quiet number">${id}</span>
      <span role="cell" class="col-peer two-lines">
        <a class="mono" href=${`#/connections/${id}`}>${peer}</a>
        <span class="quiet">${outlet} <span class="mono wide-only">${address}</span>
          <span class="narrow-only"> · ${duration(age)}</span></span>
      </span>
      <span role="cell" class="col-state"><${State} state=${state ??
        (halfClosed ? "half-closed" : undefined)} /></span>
      <span role="cell" class="col-age number">${duration(age)}</span>
      <span role="cell" class="col-bytesIn number">${size(bytesIn)}</span>
      <span role="cell" class="col-bytesOut number">${size(bytesOut)}</span>
      <span role="cell" class="col-rate two-lines">
        <${Sparkline} rates=${rates} /><span class="quiet number">${size(
          rates.at(-1) ?? 0,
        )}/s</span>
      </span>
      <span
        role="cell"><button class="icon danger" aria-label=${`Close #${id}`} title="Close" onClick=${() =>
          close(id)}>✕</button></span>
    </div>
  `;
}
