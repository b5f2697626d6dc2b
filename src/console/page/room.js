// @ts-check
/** One chat room: its members and their servers. */
import { html, useState } from "./preact.js";
import { get } from "./api.js";
import { count } from "./format.js";
import { usePolled } from "./hooks.js";
import { Empty, Fault, Heading } from "./parts.js";
import { RowWindow, useRowWindow } from "./row_window.js";

/** @typedef {{ name: string, server?: string }} Member */
/** @typedef {{ server: string, members: number }} Share */

/** The label of the page's own server. */
const HERE = "this server";

/** @param {{ id: string }} props */
export function RoomView({ id }) {
  const [filter, setFilter] = useState("");
  const [total, setTotal] = useState(0);
  const { ref, offset, limit } = useRowWindow(total);
  const { answer: room, fault } = usePolled(async () => {
    const query = new URLSearchParams({ filter, offset: `${offset}`, limit: `${limit}` });
    const page = await get(`rooms/${id}?${query}`);
    setTotal(page.matching);
    return page;
  }, [id, filter, offset, limit]);
  if (fault && !room) {
    return html`<${Empty} title=${fault}><a href="#/rooms">All rooms</a><//>`;
  }
  const members = room ? room.here + room.elsewhere : 0;
  return html`
    <${Heading} title=${html`<a class="up" href="#/rooms">Rooms</a> ${room?.name}`}>
      <span class="quiet" aria-live="polite">${room && countWords(room.matching, members)}</span>
      <//>
      <dl class="facts card">${room && sharesOf(room).map(share)}</dl>
      <div class="toolbar">
        <input type="search" aria-label="Filter" placeholder="Filter: name, server" value=${filter}
          spellcheck="false"
          onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} />
      </div>
      <${Fault} error=${fault} />
      <div class="card grid-card" role="table" aria-label="Members" aria-rowcount=${total}>
        <div class="row-scroll" ref=${ref} tabindex="0" aria-label="Members, scrolling">
          <div class="grid-row grid-head member-row" role="row">
            <span role="columnheader">Name</span><span role="columnheader">Server</span>
          </div>
          ${room?.matching === 0 && html`
            <${Empty} title=${members === 0 ? "No members" : "No matches"} />
          `}
          <${RowWindow} total=${total} offset=${room?.offset ?? 0}>${room?.members.map(row)}<//>
        </div>
      </div>
  `;
}

/** @param {number} matching @param {number} members */
function countWords(matching, members) {
  return matching === members
    ? (members === 1 ? "1 member" : `${count(members)} members`)
    : `${count(matching)} of ${count(members)}`;
}

/**
 * The number of members here, and on the servers with the most.
 * @param {{ here: number, largest: Share[] }} room
 */
function sharesOf({ here, largest }) {
  return [{ server: HERE, members: here }, ...largest];
}

/** @param {Share} share */
function share({ server, members }) {
  return html`
    <div key=${server}>
      <dt>${server}</dt>
      <dd class="number">${count(members)}</dd>
    </div>
  `;
}

/** @param {Member} member */
function row({ name, server }) {
  return html`
    <div key=${`${name} ${server}`} class="grid-row member-row" role="row">
      <strong role="cell">${name}</strong>
      <span role="cell" class=${server ? "mono" : "quiet"}>${server ?? HERE}</span>
    </div>
  `;
}
