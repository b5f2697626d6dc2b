// @ts-check
/** The form to send text with escapes, or hex. */
import { html, useState } from "./preact.js";
import { post } from "./api.js";
import { escapedToHex } from "./escapes.js";
import { useAttempt } from "./hooks.js";
import { Fault } from "./parts.js";

/** The line endings that can be appended. @type {Record<string, string>} */
const ENDS = { LF: "\\n", CRLF: "\\r\\n", nothing: "" };

/** @param {{ path: string, disabled: boolean }} props `path` is that of the connection or the client */
export function SendForm({ path, disabled }) {
  const [typed, setTyped] = useState("");
  const [form, setForm] = useState("text");
  const [end, setEnd] = useState("LF");
  const { error, attempt } = useAttempt();
  const send = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const sent = await attempt(async () => {
      const hex = form === "hex" ? typed : escapedToHex(typed + ENDS[end]);
      const { flushed } = await post(`${path}/send`, { hex });
      if (!flushed) throw new Error("the peer does not read: the data is queued");
    });
    if (sent) setTyped("");
  };
  return html`
    <form class="send" onSubmit=${send} aria-label="Send">
      <input type="text" class="mono" aria-label="Data to send" value=${typed} disabled=${disabled}
        placeholder=${form === "hex" ? "48 65 6c 6c 6f 0a" : "hello\\tthere; \\xHH is a byte"}
        autocomplete="off" spellcheck="false"
        onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} />
      <select aria-label="Format" value=${form} onChange=${(/** @type {any} */ event) =>
        setForm(event.target.value)}>
        <option value="text">text</option>
        <option value="hex">hex</option>
      </select>
      <select aria-label="Line ending" value=${end} disabled=${form === "hex"}
        onChange=${(/** @type {any} */ event) => setEnd(event.target.value)}>
        ${Object.keys(ENDS).map((name) =>
          html`<option value=${name}>${name === "nothing" ? "no line ending" : name}</option>`
        )}
      </select>
      <button class="primary" disabled=${disabled}>Send</button>
      <${Fault} error=${error} />
    </form>
  `;
}
