// @ts-check
/** Small components. */
import { html } from "./preact.js";

/** A placeholder that says what to do next. @param {{ title: string, children?: any }} props */
export function Empty({ title, children }) {
  return html`
    <div class="empty">
      <p class="empty-title">${title}</p>
      <p>${children}</p>
    </div>
  `;
}

/** An error message. @param {{ error?: { message: string } | string }} props */
export function Fault({ error }) {
  const text = typeof error === "string" ? error : error?.message;
  return html`<p class="fault" role="alert">${text ?? ""}</p>`;
}

/**
 * A heading with controls beside it.
 * @param {{ title: any, children?: any }} props
 */
export function Heading({ title, children }) {
  return html`
    <div class="heading">
      <h1>${title}</h1>
      <div class="heading-side">${children}</div>
    </div>
  `;
}

/** A state as a coloured label. @param {{ state?: string }} props */
export function State({ state }) {
  if (!state) return html`<span class="state quiet">–</span>`;
  return html`<span class=${`state ${TONES[state] ?? "quiet"}`}>${state}</span>`;
}

/** @type {Record<string, string>} */
const TONES = {
  open: "good",
  ESTABLISHED: "good",
  connected: "good",
  connecting: "warn",
  reconnecting: "bad",
  draining: "warn",
  CLOSE_WAIT: "warn",
  FIN_WAIT1: "warn",
  FIN_WAIT2: "warn",
  dialling: "warn",
  failed: "bad",
};
