// @ts-check
/** A virtual list: only the visible rows are rendered. */
import { html, useEffect, useRef, useState } from "./preact.js";

/** The height of a row in pixels; the style sheet has the same. */
export const ROW_HEIGHT = 52;

/** Rows that are rendered beyond each edge. */
const MARGIN = 10;

/**
 * The range of visible rows. `ref` is for the scrolling element.
 * @param {number} total
 */
export function useRowWindow(total) {
  const ref = useRef(/** @type {any} */ (null));
  const [seen, setSeen] = useState({ offset: 0, limit: 40 });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const look = () => {
      const first = Math.floor(element.scrollTop / ROW_HEIGHT) - MARGIN;
      const rows = Math.ceil(element.clientHeight / ROW_HEIGHT) + 2 * MARGIN;
      const offset = Math.max(0, Math.min(first, total - rows));
      setSeen((/** @type {typeof seen} */ before) =>
        before.offset === offset && before.limit === rows ? before : { offset, limit: rows }
      );
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [total]);
  return { ref, ...seen };
}

/**
 * The rows from `offset` on, at their position among all rows.
 * @param {{ total: number, offset: number, children: any }} props
 */
export function RowWindow({ total, offset, children }) {
  return html`
    <div class="row-window" role="rowgroup" style=${{ height: `${total * ROW_HEIGHT}px` }}>
      <div style=${{ transform: `translateY(${offset * ROW_HEIGHT}px)` }}>${children}</div>
    </div>
  `;
}
