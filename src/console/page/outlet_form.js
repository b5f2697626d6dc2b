// @ts-check
/** The form that opens an outlet. */
import { html, useState } from "./preact.js";
import { get, post } from "./api.js";
import { useAnswer, useAttempt } from "./hooks.js";
import { argumentsOf, OptionField } from "./option_field.js";
import { Fault } from "./parts.js";

/** @typedef {import("./option_field.js").Option} Option */
/** @typedef {{ name: string, summary: string, options: Option[] }} Service */

/** The groups of the options that every outlet has, in the order in which they are shown. */
const GROUPS = [["outlet", "Timeouts, TLS and more"], ["admission", "Access rules and limits"]];

/** @param {{ onOpened: () => void }} props */
export function OutletForm({ onOpened }) {
  const form = useOutletForm(onOpened);
  const { services, service, values, change, faultOf, error, busy, open } = form;
  const fields = (/** @type {string} */ group) =>
    service?.options.filter((option) => option.group === group).map((option) =>
      html`
        <${OptionField} key=${option.name} option=${option} value=${values[option.name]}
          fault=${faultOf(option.name)} onChange=${change(option.name)} />
      `
    );
  const shownElsewhere = !error?.field || !isShown(error.field, service);
  return html`
    <form class="card form" onSubmit=${open} aria-label="Open an outlet" novalidate>
      <h2>Open an outlet</h2>
      <div class="fields">
        <${ServiceField} services=${services} service=${service} name=${values.service}
          change=${change("service")} />
        ${plain("host", "IP address", "127.0.0.1", form)}
        ${plain("port", "Port", "7007; 0: any free port", form)}
        <${TransportField} value=${values.transport ?? "tcp"} change=${change("transport")} />
        ${fields("service")}
      </div>
      ${GROUPS.map(([group = "", title]) =>
        html`<${Details} key=${group} title=${title} fields=${fields(group)} />`
      )}
      <div class="actions">
        <button class="primary" disabled=${busy}>Start listening</button>
        ${shownElsewhere && html`<${Fault} error=${error} />`}
      </div>
    </form>
  `;
}

/**
 * The services, the values of the form and the request.
 * @param {() => void} onOpened
 */
function useOutletForm(onOpened) {
  const services = useAnswer(() => get("services")) ?? [];
  const [values, setValues] = useState(
    /** @type {Record<string, string | undefined>} */ ({ service: "echo" }),
  );
  const { error, busy, attempt } = useAttempt();
  /** @type {Service | undefined} */
  const service = services.find((/** @type {Service} */ { name }) => name === values.service);
  const change = (/** @type {string} */ name) => (/** @type {string | undefined} */ value) =>
    setValues((/** @type {any} */ before) => ({ ...before, [name]: value }));
  const faultOf = (/** @type {string} */ field) =>
    error?.field === field ? error.message : undefined;
  const open = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await attempt(() => post("outlets", bodyOf(values, service)))) {
      setValues({ service: values.service, host: values.host });
      onOpened();
    }
  };
  return { services, service, values, change, faultOf, error, busy, open };
}

/** @param {{ title: string, fields: any[] }} props */
function Details({ title, fields }) {
  return html`
    <details>
      <summary>${title}</summary>
      <div class="fields">${fields}</div>
    </details>
  `;
}

/** @param {{ services: Service[], service: Service | undefined, name: string, change: (name: string) => void }} props */
function ServiceField({ services, service, name, change }) {
  return html`
    <div class="field">
      <label for="service">Service</label>
      <select id="service" value=${name}
        onChange=${(/** @type {any} */ event) => change(event.target.value)}>
        ${services.map(({ name }) => html`<option value=${name}>${name}</option>`)}
      </select>
      <p class="hint">${service?.summary ?? " "}</p>
    </div>
  `;
}

/** @param {{ value: string, change: (word: string) => void }} props */
function TransportField({ value, change }) {
  return html`
    <div class="field">
      <label for="transport">Transport</label>
      <select id="transport" value=${value}
        onChange=${(/** @type {any} */ event) => change(event.target.value)}>
        <option value="tcp">TCP</option>
        <option value="udp">UDP</option>
      </select>
      <p class="hint">streams, or datagrams</p>
    </div>
  `;
}

/**
 * A field that is not an option: the host or the port.
 * @param {string} name @param {string} label @param {string} placeholder
 * @param {{ values: Record<string, string | undefined>, change: (name: string) => (value: string) => void, faultOf: (field: string) => string | undefined }} form
 */
function plain(name, label, placeholder, { values, change, faultOf }) {
  const fault = faultOf(name);
  return html`
    <div class="field">
      <label for=${name}>${label}</label>
      <input type="text" id=${name} name=${name} value=${values[name] ??
        ""} placeholder=${placeholder}
        autocomplete="off" spellcheck="false"
        aria-invalid=${!!fault} aria-describedby=${`${name}-about`}
        onInput=${(/** @type {any} */ event) => change(name)(event.target.value)} />
      <p class=${fault ? "fault" : "hint"} id=${`${name}-about`} role=${fault
        ? "alert"
        : undefined}>
        ${fault ?? HINTS[name]}
      </p>
    </div>
  `;
}

/** @type {Record<string, string>} */
const HINTS = {
  host: "0.0.0.0 or :: listens on all addresses",
  port: "the port to listen on, or a list such as 7000-7009,7020",
};

/** @param {Record<string, string | undefined>} values @param {Service | undefined} service */
function bodyOf({ host = "", port = "", transport = "tcp", ...values }, service) {
  const given = service?.options.flatMap((option) => {
    const args = argumentsOf(option, values[option.name]);
    return args === undefined ? [] : [[option.name, args]];
  });
  const options = Object.fromEntries(given ?? []);
  return { service: values.service, host, port, transport, options };
}

/** @param {string} field @param {Service | undefined} service */
function isShown(field, service) {
  return field in HINTS || service?.options.some(({ name }) => name === field);
}
