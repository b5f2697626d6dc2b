// @ts-check
/** The diagram of a handshake. */
import { html } from "./preact.js";

/** @param {{ src: string, about: string }} props */
export function Ladder({ src, about }) {
  return html`
    <div class="ladder" tabindex="0" role="group" aria-label="Handshake">
      <img src=${src} alt=${`The handshake ${about}`} />
    </div>
  `;
}
