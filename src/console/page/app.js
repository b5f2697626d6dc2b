// @ts-check
/** The page: its frame and the current view. */
import { html, render, useEffect, useState } from "./preact.js";
import { get } from "./api.js";
import { Client } from "./client.js";
import { ConnectionView } from "./connection.js";
import { Connections } from "./connections.js";
import { useLive, useRefresh } from "./hooks.js";
import { live } from "./live.js";
import { Messages } from "./messages.js";
import { Outlets } from "./outlets.js";
import { RoomView } from "./room.js";
import { Rooms } from "./rooms.js";
import { useRoute } from "./route.js";
import { SignIn } from "./sign_in.js";

const VIEWS = [
  ["outlets", "Outlets"],
  ["connections", "Connections"],
  ["rooms", "Rooms"],
  ["client", "Client"],
  ["messages", "Messages"],
];

/** @type {Record<string, string>} */
const STATES = { connecting: "connecting", live: "live", away: "disconnected; reconnecting" };

function App() {
  const [server, setServer] = useState(
    /** @type {{ host: string, version: string } | undefined} */ (undefined),
  );
  const [signedOut, setSignedOut] = useState(false);
  const refresh = useRefresh();
  const enter = async () => {
    try {
      setServer(await get("server"));
      setSignedOut(false);
      live.open();
    } catch {
      setSignedOut(true);
    }
  };
  useEffect(() => void enter(), []);
  useLive("state", () => live.state === "signed-out" ? setSignedOut(true) : refresh());
  if (signedOut) return html`<${SignIn} onSignedIn=${enter} />`;
  if (!server) return null;
  return html`<${Frame} server=${server} />`;
}

/** @param {{ server: { host: string, version: string } }} props */
function Frame({ server }) {
  const { view, id, filter } = useRoute();
  useEffect(() => {
    document.title = `${VIEWS.find(([name]) => name === view)?.[1] ?? "outlet"} · outlet`;
  }, [view]);
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <header class="bar">
      <a class="brand" href="#/outlets"><img src="/icon.svg" alt="" width="24" height="24" /> outlet</a>
      <nav aria-label="Views">
        ${VIEWS.map(([name, title]) =>
          html`
            <a href=${`#/${name}`} aria-current=${view === name ? "page" : undefined}>${title}</a>
          `
        )}
      </nav>
      <span class=${`live live-${live.state}`} role="status" title=${`outlet ${server.version} on ${server.host}`}>
        ${STATES[live.state]}
      </span>
    </header>
    <main id="main" tabindex="-1">${shown({ view, id, filter })}</main>
  `;
}

/** @param {{ view: string, id: string | undefined, filter: string }} route */
function shown({ view, id, filter }) {
  switch (view) {
    case "connections":
      return id
        ? html`<${ConnectionView} key=${id} id=${id} />`
        : html`<${Connections} filter=${filter} />`;
    case "rooms":
      return id ? html`<${RoomView} key=${id} id=${id} />` : html`<${Rooms} />`;
    case "client":
      return html`<${Client} id=${id} />`;
    case "messages":
      return html`<${Messages} />`;
    default:
      return html`<${Outlets} />`;
  }
}

/** The fragment selects the view, so the skip link moves the focus itself. @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
