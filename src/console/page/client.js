// @ts-check
/** Outbound connections: the form to connect, and their data. */
import { html, useState } from "./preact.js";
import { API, get, post, remove } from "./api.js";
import { Conversation } from "./conversation.js";
import { DialForm } from "./dial_form.js";
import { size } from "./format.js";
import { useAttempt, useLive, usePolled } from "./hooks.js";
import { Ladder } from "./ladder.js";
import { Empty, Fault, Heading, State } from "./parts.js";
import { SendForm } from "./send_form.js";
import { useTranscript } from "./transcript.js";

/** @typedef {{ id: number, target: string, tls: boolean, state: string, steps: { at: number, text: string }[], ladders: number, error?: string, reason?: string, bytesIn: number, bytesOut: number }} OutboundConnection */

/** @param {{ id: string | undefined }} props */
export function Client({ id }) {
  const { answer: clients = [], again } = usePolled(() => get("clients"), []);
  /** @type {OutboundConnection[]} */
  const newestFirst = [...clients].reverse();
  const shown = id ?? newestFirst[0]?.id.toString();
  return html`
    <${Heading} title="Client" />
    <${DialForm} onDialled=${again} />
    ${newestFirst.length > 0 && html`
      <nav class="tabs" aria-label="Connections">
        ${newestFirst.map(({ id, target, state }) =>
          html`
            <a key=${id} href=${`#/client/${id}`} aria-current=${String(id) === shown
              ? "page"
              : undefined}>
              <span class="quiet">${id}</span> <span class="mono">${target}</span> <${State} state=${state} />
            </a>
          `
        )}
      </nav>
    `}
    ${shown ? html`<${OutboundView} key=${shown} id=${shown} onForgotten=${again} />` : html`
      <div class="card">
        <${Empty} title="No connections">
                Enter a host and a port above, and connect.<//></div>
    `}
  `;
}

/** @param {{ id: string, onForgotten: () => void }} props */
function OutboundView({ id, onForgotten }) {
  const path = `clients/${id}`;
  const [update, setUpdate] = useState(/** @type {OutboundConnection | undefined} */ (undefined));
  const pieces = useTranscript(`client:${id}`);
  useLive("client", (client) => String(client.id) === id && setUpdate(client));
  const { answer, fault } = usePolled(() => get(path), [id]);
  /** @type {OutboundConnection | undefined} */
  const client = update ?? answer;
  const { error, attempt } = useAttempt();
  if (!client) return html`<${Fault} error=${fault} />`;
  const open = client.state === "open";
  const forget = async () => {
    await attempt(() => remove(path));
    location.hash = "#/client";
    onForgotten();
  };
  return html`
    <${OutboundHeading} client=${client} forget=${forget}
      post=${(/** @type {string} */ action) => attempt(() => post(`${path}/${action}`))} />
    <${Fault} error=${client.error ?? error} />
    <div class="split">
      <${Handshakes} client=${client} path=${path} />
      <${Timeline} client=${client} />
    </div>
    ${client.state !== "failed" && html`
      <div class="card">
        <${Conversation} pieces=${pieces} empty=${open
          ? "Nothing was sent or received yet."
          : "Nothing was sent or received."} />
        <${SendForm} path=${path} disabled=${!open} />
      </div>
    `}
  `;
}

/** @param {{ client: OutboundConnection, forget: () => void, post: (action: string) => void }} props */
function OutboundHeading({ client: { target, tls, state }, forget, post }) {
  const isEnded = state === "closed" || state === "failed";
  return html`
    <div class="heading">
      <h2><span class="mono">${target}</span> ${tls && "with TLS"} <${State} state=${state} /></h2>
      <div class="heading-side">
        <button disabled=${state !== "open"} onClick=${() => post("end")}>Half-close</button>
        ${isEnded
          ? html`<button onClick=${forget}>Remove</button>`
          : html`<button class="danger" onClick=${() => post("close")}>Close</button>`}
      </div>
    </div>
  `;
}

/** @param {{ client: OutboundConnection, path: string }} props */
function Handshakes({ client: { ladders, target }, path }) {
  return html`
    <section class="card"><h2>Handshake</h2>
      ${Array.from({ length: ladders }, (_, index) =>
        html`
          <${Ladder} key=${index} src=${`${API}/${path}/ladders/${index}.svg`} about=${`with ${target}`} />
        `)}
      ${ladders === 0 &&
        html`<${Empty} title="Not known yet">The handshake is shown when the attempt has ended.<//>`}
    </section>
  `;
}

/** @param {{ client: OutboundConnection }} props */
function Timeline({ client: { steps, reason, bytesIn, bytesOut } }) {
  return html`
    <section class="card">
      <h2>Timeline</h2>
      <ol class="timeline">
        ${steps.map(({ at, text }) =>
          html`<li><span class="quiet number">+${at} ms</span> ${text}</li>`
        )}
        ${reason &&
          html`<li><strong>${reason}</strong>: ${size(bytesIn)} received, ${
            size(bytesOut)
          } sent</li>`}
      </ol>
    </section>
  `;
}
