// @ts-check
/** Both directions of a conversation, as text or hex, with timestamps. */
import { Component, html, useEffect, useRef, useState } from "./preact.js";
import { bothOf, hexOf, textOf } from "./byte_text.js";
import { preciseClock, size } from "./format.js";
import { Empty } from "./parts.js";

/** @typedef {import("./transcript.js").Piece} Piece */

const MODES = ["text", "hex", "both"];

/** @param {{ pieces: readonly Piece[], empty: string }} props */
export function Conversation({ pieces, empty }) {
  const [mode, setMode] = useState("text");
  const [search, setSearch] = useState("");
  const end = useRef(/** @type {any} */ (null));
  const follows = useRef(true);
  useEffect(() => {
    if (follows.current && end.current) end.current.scrollTop = end.current.scrollHeight;
  });
  const found = search === "" ? pieces : pieces.filter((piece) => holds(piece, search));
  return html`
    <section class="conversation" aria-label="Data">
      <div class="toolbar">
        <div class="segments" role="radiogroup" aria-label="Show bytes as">
          ${MODES.map((name) =>
            html`
              <label class="segment"><input type="radio" name="mode" value=${name} checked=${mode ===
                name}
                onChange=${() => setMode(name)} /><span>${name}</span></label>
            `
          )}
        </div>
        <input type="search" aria-label="Search the bytes" placeholder="Search" value=${search}
          spellcheck="false" onInput=${(/** @type {any} */ event) =>
            setSearch(event.target.value)} />
        <span class="quiet" aria-live="polite">${search &&
          `${found.length} of ${pieces.length}`}</span>
      </div>
      <div class="bytes" ref=${end} tabindex="0" role="log" aria-label="Sent and received data"
        onScroll=${(/** @type {any} */ event) => follows.current = isAtEnd(event.target)}>
        ${pieces.length === 0 && html`<${Empty} title="No data yet">${empty}<//>`}
        ${found.map((piece) =>
          html`
            <${PieceView} key=${`${piece.direction}${piece.offset}`} piece=${piece} mode=${mode} search=${search} />
          `
        )}
      </div>
    </section>
  `;
}

/** @param {Element} element */
function isAtEnd(element) {
  return element.scrollHeight - element.scrollTop - element.clientHeight < 40;
}

/** Rendered only when the mode or the search changes: the bytes of a piece do not. */
class PieceView extends Component {
  /** @override @param {any} next */
  shouldComponentUpdate(next) {
    const { mode, search } = /** @type {any} */ (this.props);
    return next.mode !== mode || next.search !== search;
  }

  /** @override */
  render() {
    const { piece, mode, search } = /** @type {any} */ (this.props);
    const { direction, at, bytes } = piece;
    return html`
      <article class=${`piece piece-${direction}`}>
        <header class="quiet">
          <span class="arrow" aria-hidden="true">${direction === "in" ? "→" : "←"}</span>
          <span>${direction === "in" ? "received" : "sent"}</span>
          <time>${preciseClock(at)}</time><span class="number">${size(bytes.length)}</span>
        </header>
        <pre>${marked(shown(piece, mode), search)}</pre>
      </article>
    `;
  }
}

/** @param {Piece} piece @param {string} mode */
function shown({ bytes, offset }, mode) {
  if (mode === "hex") return hexOf(bytes, offset);
  return mode === "both" ? bothOf(bytes, offset) : textOf(bytes);
}

/**
 * Whether the piece contains the search, as text or as hex digits.
 * @param {Piece} piece
 * @param {string} search
 */
function holds({ bytes }, search) {
  const needle = search.toLowerCase();
  if (textOf(bytes).toLowerCase().includes(needle)) return true;
  const digits = needle.replaceAll(" ", "");
  return /^[0-9a-f]+$/.test(digits) &&
    hexOf(bytes, 0).replace(/^\S+ {2}|[ \n]/gm, "").includes(digits);
}

/** The text with the matches marked. @param {string} text @param {string} search */
function marked(text, search) {
  if (search === "") return text;
  const parts = [];
  const [low, needle] = [text.toLowerCase(), search.toLowerCase()];
  let from = 0;
  for (let at = low.indexOf(needle); at !== -1; at = low.indexOf(needle, from)) {
    parts.push(text.slice(from, at), html`<mark>${text.slice(at, at + needle.length)}</mark>`);
    from = at + needle.length;
  }
  return [...parts, text.slice(from)];
}
