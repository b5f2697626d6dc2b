// @ts-check
/** The console as a client: dialling out, and the conversations that come of it. */
import { html, useState } from "./preact.js";
import { API, get, post, remove } from "./api.js";
import { Conversation } from "./conversation.js";
import { size } from "./format.js";
import { useAttempt, useLive, usePolled } from "./hooks.js";
import { Ladder } from "./ladder.js";
import { Empty, Fault, Heading, State } from "./parts.js";
import { SendForm } from "./send_form.js";
import { useTranscript } from "./transcript.js";

/** @typedef {{ id: number, target: string, tls: boolean, state: string, steps: { at: number, text: string }[], ladders: number, error?: string, reason?: string, bytesIn: number, bytesOut: number }} Dialled */

/** @param {{ id: string | undefined }} props */
export function Client({ id }) {
  const { answer: clients = [], again } = usePolled(() => get("clients"), []);
  /** @type {Dialled[]} */
  const newestFirst = [...clients].reverse();
  const shown = id ?? newestFirst[0]?.id.toString();
  return html`
    <${Heading} title="Client" />
    <${DialForm} onDialled=${again} />
    ${newestFirst.length > 0 && html`
      <nav class="tabs" aria-label="Conversations">
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
    ${shown ? html`<${DialledView} key=${shown} id=${shown} onForgotten=${again} />` : html`
      <div class="card">
        <${Empty} title="Not plugged in anywhere">
                Name a host and a port above, and connect.<//></div>
    `}
  `;
}

/** @param {{ onDialled: () => void }} props */
function DialForm({ onDialled }) {
  const [host, setHost] = useState("");
  const [port, setPort] = useState("");
  const [tls, setTls] = useState(false);
  const [insecure, setInsecure] = useState(false);
  const { error, busy, attempt } = useAttempt();
  const connect = (/** @type {Event} */ event) => {
    event.preventDefault();
    attempt(async () => {
      const { id } = await post("clients", {
        host: host || "127.0.0.1",
        port,
        tls,
        insecure: tls && insecure,
      });
      onDialled();
      location.hash = `#/client/${id}`;
    });
  };
  const faultOf = (/** @type {string} */ field) => error?.field === field && error.message;
  const typed = (/** @type {(value: string) => void} */ set) => (/** @type {any} */ event) =>
    set(event.target.value);
  return html`
    <form class="card form dial" onSubmit=${connect} aria-label="Connect" novalidate>
      <div class="field">
        <label for="dial-host">Host</label>
        <input type="text" id="dial-host" value=${host} placeholder="127.0.0.1" autocomplete="off"
          spellcheck="false"
          aria-invalid=${!!faultOf("host")} onInput=${typed(setHost)} />
      </div>
      <div class="field">
        <label for="dial-port">Port</label>
        <input type="text" id="dial-port" value=${port} placeholder="7000" inputmode="numeric"
          autocomplete="off"
          aria-invalid=${!!faultOf("port")} onInput=${typed(setPort)} />
      </div>
      <label class="check"><input type="checkbox" checked=${tls}
        onChange=${(/** @type {any} */ event) => setTls(event.target.checked)} /> TLS</label>
      <label class="check"><input type="checkbox" checked=${tls && insecure} disabled=${!tls}
        onChange=${(/** @type {any} */ event) =>
          setInsecure(event.target.checked)} /> trust anyone</label>
      <button class="primary" disabled=${busy}>Connect</button>
      <${Fault} error=${error} />
    </form>
  `;
}

/** @param {{ id: string, onForgotten: () => void }} props */
function DialledView({ id, onForgotten }) {
  const path = `clients/${id}`;
  const [told, setTold] = useState(/** @type {Dialled | undefined} */ (undefined));
  const pieces = useTranscript(`client:${id}`);
  useLive("client", (client) => String(client.id) === id && setTold(client));
  const { answer, fault } = usePolled(() => get(path), [id]);
  /** @type {Dialled | undefined} */
  const client = told ?? answer;
  const { error, attempt } = useAttempt();
  if (!client) return html`<${Fault} error=${fault} />`;
  const open = client.state === "open";
  const over = client.state === "closed" || client.state === "failed";
  const forget = async () => {
    await attempt(() => remove(path));
    location.hash = "#/client";
    onForgotten();
  };
  return html`
    <div class="heading">
      <h2><span class="mono">${client.target}</span> ${client.tls &&
        "with TLS"} <${State} state=${client.state} /></h2>
      <div class="heading-side">
        <button disabled=${!open} onClick=${() =>
          attempt(() => post(`${path}/end`))}>Half-close</button>
        ${over
          ? html`<button onClick=${forget}>Forget</button>`
          : html`<button class="danger" onClick=${() =>
            attempt(() => post(`${path}/close`))}>Close</button>`}
      </div>
    </div>
    <${Fault} error=${client.error ?? error} />
    <div class="split">
      <section class="card"><h2>Handshake</h2>
          ${Array.from({ length: client.ladders }, (_, index) =>
            html`
              <${Ladder} key=${index} src=${`${API}/${path}/ladders/${index}.svg`} about=${`with ${client.target}`} />
            `)}
          ${client.ladders === 0 &&
            html`<${Empty} title="Not yet">It is drawn once it is known how it ended.<//>`}
        </section>
      <section class="card">
        <h2>Timeline</h2>
        <ol class="timeline">
            ${client.steps.map(({ at, text }) =>
              html`<li><span class="quiet number">+${at} ms</span> ${text}</li>`
            )}
            ${client.reason &&
              html`<li><strong>${client.reason}</strong>: ${size(client.bytesIn)} received, ${
                size(client.bytesOut)
              } sent</li>`}
          </ol>
      </section>
    </div>
    ${client.state !== "failed" && html`
      <div class="card">
        <${Conversation} pieces=${pieces} empty=${open
          ? "Say something below."
          : "Nothing was said."} />
        <${SendForm} path=${path} disabled=${!open} />
      </div>
    `}
  `;
}
