// @ts-check
/** The list of outlets, and the form to open one. */
import { html } from "./preact.js";
import { get, post } from "./api.js";
import { count, size } from "./format.js";
import { useAttempt, usePolled } from "./hooks.js";
import { OutletForm } from "./outlet_form.js";
import { Empty, Fault, Heading, State } from "./parts.js";

/** @typedef {{ id: number, name: string, address: string, state: string, open: number, opened?: number, refused?: number, bytesIn?: number, bytesOut?: number, queue?: number }} Outlet */

const COLUMNS = ["Outlet", "State", "Open", "Total", "Refused", "Queue", "Received", "Sent", ""];

export function Outlets() {
  const { answer: outlets, fault, again } = usePolled(() => get("outlets"), []);
  return html`
    <${Heading} title="Outlets" />
    <${Fault} error=${fault} />
    <div class="card table-card">${outlets?.length === 0
      ? noOutlets()
      : table(outlets ?? [], again)}</div>
    <${OutletForm} onOpened=${again} />
  `;
}

function noOutlets() {
  return html`<${Empty} title="No outlets">
    Select a service and a port below, and start listening.<//>`;
}

/** @param {Outlet[]} outlets @param {() => void} again */
function table(outlets, again) {
  return html`
    <table class="stacking">
      <thead>
        <tr>${COLUMNS.map((title) => html`<th scope="col">${title}</th>`)}</tr>
      </thead>
      <tbody>${outlets.map((outlet) =>
        html`<${Row} key=${outlet.id} outlet=${outlet} again=${again} />`
      )}</tbody>
    </table>
  `;
}

/** @param {{ outlet: Outlet, again: () => void }} props */
function Row({ outlet, again }) {
  const { id, name, address, state, open, opened, refused, queue, bytesIn, bytesOut } = outlet;
  const { error, attempt } = useAttempt();
  const stop = (/** @type {object} */ body) => async () => {
    await attempt(() => post(`outlets/${id}/stop`, body));
    again();
  };
  return html`
    <tr data-outlet=${address}>
      <th scope="row"><strong>${name}</strong> <span class="mono">${address}</span></th>
      <td data-label="State">
        <${State} state=${state} />
      </td>
      <td data-label="Open" class="number">
        <a href=${`#/connections?filter=${encodeURIComponent(address)}`}>${count(open)}</a>
      </td>
      <td data-label="Total" class="number">${count(opened)}</td>
      <td data-label="Refused" class="number">${count(refused)}</td>
      <td data-label="Queue" class="number">${queue === undefined ? "–" : count(queue)}</td>
      <td data-label="Received" class="number">${size(bytesIn)}</td>
      <td data-label="Sent" class="number">${size(bytesOut)}</td>
      <td class="row-actions">
        <button onClick=${stop(
          {},
        )} disabled=${state !==
          "open"} title="Accept no new connections; open ones have the drain timeout to end">Stop</button>
        <button class="danger" onClick=${stop({
          grace: "0",
        })} title="Close all connections at once">Stop now</button>
        ${error && html`<${Fault} error=${error} />`}
      </td>
    </tr>
  `;
}
