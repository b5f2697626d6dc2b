// @ts-check
/** The chat rooms, and the buses to other servers. */
import { html, useEffect, useState } from "./preact.js";
import { count, size } from "./format.js";
import { useLive } from "./hooks.js";
import { live } from "./live.js";
import { Empty, Fault, Heading, State } from "./parts.js";

/** @typedef {{ id: number, name: string, isPublic: boolean, here: number, elsewhere: number, servers: number, names: string[] }} Room */
/** @typedef {{ in: number, out: number, ignored: number, lost: number, dropped: number }} Traffic */
/** @typedef {{ name: string, state: "connecting" | "up" | "down", detail: string, denied?: string, reconnects: number, queued: number, traffic: Traffic }} Bus */

const COLUMNS = ["Room", "Servers", "Local", "Remote", "Members"];

/** A bus reconnects without limit. */
const STATES = { connecting: "connecting", up: "connected", down: "reconnecting" };

export function Rooms() {
  const [status, setStatus] = useState(
    /** @type {{ rooms: Room[], buses: Bus[] } | undefined} */ (undefined),
  );
  useEffect(() => live.watch("rooms"), []);
  useLive("rooms", setStatus);
  return html`
    <${Heading} title="Rooms">
      <span class="quiet" aria-live="polite">${status && countWords(status.rooms)}</span>
      <//>
      ${status && html`
        <div class="card table-card">${status.rooms.length === 0
          ? noRooms()
          : table(status.rooms)}</div>
        ${status.buses.map((bus) => html`<${BusView} key=${bus.name} bus=${bus} />`)}
      `}
  `;
}

/** @param {Room[]} rooms */
function countWords(rooms) {
  const members = rooms.reduce((sum, { here, elsewhere }) => sum + here + elsewhere, 0);
  return `${count(members)} in ${rooms.length === 1 ? "1 room" : `${count(rooms.length)} rooms`}`;
}

function noRooms() {
  return html`<${Empty} title="No rooms">
    Every outlet with the chat service has one: <a href="#/outlets">open an outlet</a>.<//>`;
}

/** @param {Room[]} rooms */
function table(rooms) {
  return html`
    <table class="stacking">
      <thead>
        <tr>${COLUMNS.map((title) => html`<th scope="col">${title}</th>`)}</tr>
      </thead>
      <tbody>${rooms.map((room) => html`<${Row} key=${room.id} room=${room} />`)}</tbody>
    </table>
  `;
}

/** @param {{ room: Room }} props */
function Row({ room }) {
  const { id, name, here, elsewhere, servers } = room;
  return html`
    <tr data-room=${name}>
      <th scope="row"><a href=${`#/rooms/${id}`}><strong>${name}</strong></a></th>
      <td data-label="Servers">${servers === 0
        ? "this server"
        : `${count(servers + 1)} servers`}</td>
      <td data-label="Local" class="number">${count(here)}</td>
      <td data-label="Remote" class="number">${count(elsewhere)}</td>
      <td data-label="Members" class="names">${namesOf(room)}</td>
    </tr>
  `;
}

/** @param {Room} room */
function namesOf({ names, here, elsewhere }) {
  const more = here + elsewhere - names.length;
  if (names.length === 0) return html`<span class="quiet">no members</span>`;
  return names.join(", ") + (more > 0 ? ` and ${count(more)} more` : "");
}

/** @param {{ bus: Bus }} props */
function BusView({ bus: { name, state, detail, denied, reconnects, queued, traffic } }) {
  const facts = [
    ["State", html`<${State} state=${STATES[state]} />`],
    [state === "up" ? "Server" : "Reason", detail],
    ["Reconnects", count(reconnects)],
    ["Queued", size(queued)],
    ["Messages in", count(traffic.in)],
    ["Messages out", count(traffic.out)],
    ["Ignored", count(traffic.ignored)],
    ["Lost", count(traffic.lost)],
    ["Dropped", count(traffic.dropped)],
  ];
  return html`
    <section class="card" data-bus=${name}>
      <h2>Bus <span class="mono">${name}</span></h2>
      <dl class="facts bus-facts">${facts.map(([title, value]) =>
        html`
          <div>
            <dt>${title}</dt>
            <dd class="number">${value}</dd>
          </div>
        `
      )}</dl>
      <${Fault} error=${denied} />
    </section>
  `;
}
