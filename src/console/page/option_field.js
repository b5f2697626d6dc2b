// @ts-check
/** A form field, built from the server's description of an option. */
import { html } from "./preact.js";

/**
 * @typedef {{ name: string, group: string, summary: string, expects: string, placeholder?: string,
 *   choices?: string[], repeats: boolean, default?: string }} Option
 */

/**
 * @param {{ option: Option, value: string | undefined, fault: string | undefined,
 *   onChange: (value: string | undefined) => void }} props
 */
export function OptionField({ option, value, fault, onChange }) {
  const { name, summary } = option;
  const id = `option-${name}`;
  const described = `${id}-about`;
  const control = controlOf(option)({ id, described, value, fault, onChange, option });
  return html`
    <div class=${`field ${isSwitch(option) ? "field-switch" : ""}`}>
      <label for=${id}>${name}</label>
      ${control}
      <p class="hint" id=${described}>${summary}</p>
      ${fault && html`<p class="fault" role="alert">${fault}</p>`}
    </div>
  `;
}

/**
 * The arguments for an option; `undefined` if the value is the default.
 * @param {Option} option
 * @param {string | undefined} value
 */
export function argumentsOf(option, value) {
  if (value === undefined || value === "" || value === option.default) return undefined;
  return option.repeats ? value.split("\n").filter((line) => line.trim() !== "") : value;
}

/** @param {Option} option */
function isSwitch({ placeholder }) {
  return placeholder === undefined;
}

/** @param {Option} option */
function controlOf(option) {
  if (isSwitch(option)) return Switch;
  if (option.choices && !option.repeats) return Choice;
  return option.repeats ? Lines : Word;
}

/** @typedef {{ id: string, described: string, value: string | undefined, fault: string | undefined, onChange: (value: string) => void, option: Option }} Control */

/** @param {Control} control */
function Switch({ id, described, value, onChange, option }) {
  const on = (value ?? option.default) === "true";
  return html`
    <input type="checkbox" id=${id} aria-describedby=${described} checked=${on}
      onChange=${(/** @type {any} */ event) => onChange(String(event.target.checked))} />
  `;
}

/** @param {Control} control */
function Choice({ id, described, value, onChange, option }) {
  return html`
    <select id=${id} aria-describedby=${described} value=${value ?? option.default ?? ""}
      onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
        ${option.default === undefined && html`<option value=""></option>`}
        ${option.choices?.map((word) => html`<option value=${word}>${word}</option>`)}
      </select>
  `;
}

/** @param {Control} control */
function Lines({ id, described, value, fault, onChange, option }) {
  return html`
    <textarea id=${id} rows="2" aria-describedby=${described} aria-invalid=${!!fault}
      placeholder=${`${option.placeholder}, one per line`} value=${value ?? ""} spellcheck="false"
      onInput=${(/** @type {any} */ event) => onChange(event.target.value)}></textarea>
  `;
}

/** @param {Control} control */
function Word({ id, described, value, fault, onChange, option }) {
  return html`
    <input type="text" id=${id} aria-describedby=${described} aria-invalid=${!!fault}
      placeholder=${option.default ?? option.placeholder} value=${value ?? ""}
      autocomplete="off" spellcheck="false"
      onInput=${(/** @type {any} */ event) => onChange(event.target.value)} />
  `;
}
