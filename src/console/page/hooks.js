// @ts-check
/** Hooks of the views. */
import { useCallback, useEffect, useRef, useState } from "./preact.js";
import { live } from "./live.js";

/**
 * Calls `hear` for each event of this type while the view is mounted.
 * @param {string} type
 * @param {(detail: any) => void} hear
 */
export function useLive(type, hear) {
  const latest = useRef(hear);
  latest.current = hear;
  useEffect(() => {
    const listener = (/** @type {Event} */ event) =>
      latest.current?.(/** @type {CustomEvent} */ (event).detail);
    live.addEventListener(type, listener);
    return () => live.removeEventListener(type, listener);
  }, [type]);
}

/** Returns a function that renders the view again, at most once a frame. */
export function useRefresh() {
  const [, set] = useState(0);
  const frame = useRef(0);
  useEffect(() => () => cancelAnimationFrame(frame.current ?? 0), []);
  return useCallback(() => {
    cancelAnimationFrame(frame.current ?? 0);
    frame.current = requestAnimationFrame(() => set((/** @type {number} */ n) => n + 1));
  }, []);
}

/**
 * The result of a request that is repeated every second, and when `again` is called.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {unknown[]} inputs
 */
export function usePolled(ask, inputs) {
  const [answer, setAnswer] = useState(/** @type {T | undefined} */ (undefined));
  const [fault, setFault] = useState(/** @type {string | undefined} */ (undefined));
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let shown = true;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const look = async () => {
      try {
        const found = await ask();
        if (shown) setAnswer(found);
        if (shown) setFault(undefined);
      } catch (error) {
        if (shown) setFault(/** @type {Error} */ (error).message);
      }
      if (shown) timer = setTimeout(look, 1000);
    };
    look();
    return () => {
      shown = false;
      clearTimeout(timer);
    };
  }, [...inputs, turn]);
  return { answer, fault, again: () => setTurn((/** @type {number} */ n) => n + 1) };
}

/** The result of a request. @param {() => Promise<any>} ask */
export function useAnswer(ask) {
  const [answer, setAnswer] = useState(/** @type {any} */ (undefined));
  useEffect(() => void ask().then(setAnswer, () => {}), []);
  return answer;
}

/**
 * Runs a request and keeps its error.
 * @returns {{ error: import("./api.js").ApiError | undefined, busy: boolean, attempt: (act: () => Promise<unknown>) => Promise<boolean> }}
 */
export function useAttempt() {
  const [error, setError] = useState(/** @type {any} */ (undefined));
  const [busy, setBusy] = useState(false);
  const attempt = async (/** @type {() => Promise<unknown>} */ act) => {
    setBusy(true);
    try {
      await act();
      setError(undefined);
      return true;
    } catch (refused) {
      setError(refused);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { error, busy, attempt };
}
