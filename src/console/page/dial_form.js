// @ts-check
/** The form that starts an outbound connection. */
import { html, useState } from "./preact.js";
import { post } from "./api.js";
import { useAttempt } from "./hooks.js";
import { Fault } from "./parts.js";

/** @param {{ onDialled: () => void }} props */
export function DialForm({ onDialled }) {
  const [values, setValues] = useState({ host: "", port: "", tls: false, insecure: false });
  const { error, busy, attempt } = useAttempt();
  const change = (/** @type {Partial<typeof values>} */ changed) =>
    setValues((/** @type {typeof values} */ before) => ({ ...before, ...changed }));
  const connect = (/** @type {Event} */ event) => {
    event.preventDefault();
    attempt(async () => {
      const { id } = await post("clients", bodyOf(values));
      onDialled();
      location.hash = `#/client/${id}`;
    });
  };
  const isInvalid = (/** @type {string} */ field) => error?.field === field && !!error.message;
  const { host, port, tls, insecure } = values;
  return html`
    <form class="card form dial" onSubmit=${connect} aria-label="Connect" novalidate>
      <div class="field">
        <label for="dial-host">Host</label>
        <input type="text" id="dial-host" value=${host} placeholder="127.0.0.1" autocomplete="off"
          spellcheck="false" aria-invalid=${isInvalid("host")}
          onInput=${(/** @type {any} */ { target }) => change({ host: target.value })} />
      </div>
      <div class="field">
        <label for="dial-port">Port</label>
        <input type="text" id="dial-port" value=${port} placeholder="7000" inputmode="numeric"
          autocomplete="off" aria-invalid=${isInvalid("port")}
          onInput=${(/** @type {any} */ { target }) => change({ port: target.value })} />
      </div>
      <${Checkbox} label="TLS" checked=${tls}
        change=${(/** @type {boolean} */ on) => change({ tls: on })} />
      <${Checkbox} label="trust anyone" checked=${tls && insecure} disabled=${!tls}
        change=${(/** @type {boolean} */ on) => change({ insecure: on })} />
      <button class="primary" disabled=${busy}>Connect</button>
      <${Fault} error=${error} />
    </form>
  `;
}

/** @param {{ host: string, port: string, tls: boolean, insecure: boolean }} values */
function bodyOf({ host, port, tls, insecure }) {
  return { host: host || "127.0.0.1", port, tls, insecure: tls && insecure };
}

/**
 * @param {{ label: string, checked: boolean, disabled?: boolean, change: (on: boolean) => void }} props
 */
function Checkbox({ label, checked, disabled = false, change }) {
  return html`
    <label class="check"><input type="checkbox" checked=${checked} disabled=${disabled}
      onChange=${(/** @type {any} */ { target }) => change(target.checked)} /> ${label}</label>
  `;
}
