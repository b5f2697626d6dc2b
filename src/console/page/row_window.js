// @ts-check
/** A list of any length of which only what is seen is there. */
import { html, useEffect, useRef, useState } from "./preact.js";

/** The height of a row in pixels; the style has the same. */
export const ROW_HEIGHT = 52;

/** Rows beyond the edges that are there too, so that scrolling finds them. */
const MARGIN = 10;

/**
 * Which rows are seen. `ref` belongs to the element that scrolls.
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
 * The rows from `offset` on, at the place where they would be among all.
 * @param {{ total: number, offset: number, children: any }} props
 */
export function RowWindow({ total, offset, children }) {
  return html`
    <div class="row-window" role="rowgroup" style=${{ height: `${total * ROW_HEIGHT}px` }}>
      <div style=${{ transform: `translateY(${offset * ROW_HEIGHT}px)` }}>${children}</div>
    </div>
  `;
}
