// @ts-check
/** The form that asks for the token. */
import { html, useState } from "./preact.js";
import { post } from "./api.js";
import { useAttempt } from "./hooks.js";
import { Fault } from "./parts.js";

/** @param {{ onSignedIn: () => void }} props */
export function SignIn({ onSignedIn }) {
  const [token, setToken] = useState("");
  const { error, busy, attempt } = useAttempt();
  const signIn = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await attempt(() => post("session", { token: token.trim() }))) onSignedIn();
  };
  return html`
    <main class="sign-in">
      <form class="card form" onSubmit=${signIn}>
        <h1>outlet</h1>
        <p>Open the URL that outlet printed when it started, or paste its token here.</p>
        <div class="field">
          <label for="token">Token</label>
          <input type="password" id="token" value=${token} autocomplete="off"
            onInput=${(/** @type {any} */ event) => setToken(event.target.value)} />
        </div>
        <div class="actions">
          <button class="primary" disabled=${busy}>Sign in</button>
          <${Fault} error=${error} />
        </div>
      </form>
    </main>
  `;
}
