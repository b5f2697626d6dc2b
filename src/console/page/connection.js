// @ts-check
/** One connection: its handshake, its events, its bytes, and a form to send. */
import { html, useRef } from "./preact.js";
import { API, get, post, remove } from "./api.js";
import { Conversation } from "./conversation.js";
import { clock, duration, size } from "./format.js";
import { useAttempt, usePolled } from "./hooks.js";
import { Ladder } from "./ladder.js";
import { Empty, Fault, Heading, State } from "./parts.js";
import { SendForm } from "./send_form.js";
import { eventText } from "./event_text.js";
import { useTranscript } from "./transcript.js";

/** @param {{ id: string }} props */
export function ConnectionView({ id }) {
  const path = `connections/${id}`;
  const { answer, fault, again } = usePolled(() => get(path), [id]);
  const pieces = useTranscript(`connection:${id}`);
  const { error, attempt } = useAttempt();
  // Once it is drawn, the diagram stays after the connection has ended.
  const drawable = useRef(false);
  const act = (/** @type {() => Promise<unknown>} */ change) => async () => {
    await attempt(change);
    again();
  };
  if (!answer) {
    return fault
      ? html`<${Empty} title=${fault}><a href="#/connections">All connections</a><//>`
      : html`<${Heading} title=${`Connection #${id}`} />`;
  }
  const { open, events, peer } = answer;
  drawable.current ||= open && !peer.startsWith("unix:");
  return html`
    <${Heading} title=${html`<a class="up" href="#/connections">Connections</a> #${id}`}>
      <button disabled=${!open} onClick=${act(() => post(`${path}/end`))}
        title="Send FIN: the client reads the end of the data, and can still send">Half-close</button>
      <button class="danger" disabled=${!open} onClick=${act(() => remove(path))}>Close</button>
      <//>
      <${Fault} error=${error} />
      <${Facts} facts=${factsOf(answer)} />
      <div class="split">
        <${Handshake} id=${id} drawable=${drawable.current} />
        <section class="card"><h2>Timeline</h2>${timeline(events)}</section>
      </div>
      <div class="card">
        <${Conversation} pieces=${pieces}
          empty=${open
            ? "Data that is sent or received from now on is shown here."
            : "The connection is closed."} />
        <${SendForm} path=${path} disabled=${!open} />
      </div>
  `;
}

/** @param {{ facts: [string, any][] }} props */
function Facts({ facts }) {
  return html`
    <dl class="facts card">${facts.map(([name, value]) =>
      html`
        <div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>
      `
    )}</dl>
  `;
}

/** @param {{ id: string, drawable: boolean }} props */
function Handshake({ id, drawable }) {
  return html`
    <section class="card">
      <h2>Handshake</h2>
      ${drawable
        ? html`<${Ladder} src=${`${API}/connections/${id}/ladder.svg`} about=${`of connection #${id}`} />`
        : html`<p class="quiet">Available only while the connection is open.</p>`}
    </section>
  `;
}

/** @param {any} connection @returns {[string, any][]} */
function factsOf(connection) {
  const { open, peer, outlet, address, state, age, events, notes } = connection;
  const { bytesIn, bytesOut, datagramsIn, datagramsOut } = connection;
  const closed = events.find((/** @type {any} */ { event }) => event === "closed");
  const opened = events.find((/** @type {any} */ { event }) => event === "opened");
  const event = closed ?? opened ?? {};
  return [
    ["Client", html`<span class="mono">${peer ?? event.peer}</span>`],
    [
      "Outlet",
      html`${outlet ?? event.outlet} <span class="mono">${address ?? event.address}</span>`,
    ],
    [
      "State",
      open ? html`<${State} state=${state ?? "open"} />` : `closed: ${closed?.reason ?? ""}`,
    ],
    ["Age", duration(open ? age : closed?.duration_ms ?? 0)],
    ...(datagramsIn === undefined
      ? []
      : [/** @type {[string, any]} */ (["Datagrams", `${datagramsIn} in, ${datagramsOut} out`])]),
    ["Received", size(open ? bytesIn : closed?.bytes_in)],
    ["Sent", size(open ? bytesOut : closed?.bytes_out)],
    ...Object.entries(notes ?? {}).map((
      [name, value],
    ) => /** @type {[string, any]} */ ([name, String(value)])),
  ];
}

/** @param {any[]} events */
function timeline(events) {
  return html`<ol class="timeline">${
    events.map((event) =>
      html`
        <li
          key=${event.time}><time class="quiet">${clock(event.time)}</time> <strong>${event
            .event}</strong> ${eventText(event)}</li>
      `
    )
  }</ol>`;
}
