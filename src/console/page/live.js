// @ts-check
/** The event stream of the page, shared by all views. */
import { API, get } from "./api.js";

/** The number of events that are kept. */
const MAX_EVENTS = 2000;

/** The pause before reconnecting in milliseconds. */
const PAUSE = 2000;

/**
 * An event in the log's form: `event`, `time`, `level`, and its fields.
 * @typedef {Record<string, any> & { event: string, time: string, level: string, key: string }} LoggedEvent
 */

class Live extends EventTarget {
  /** @type {"connecting" | "live" | "away" | "signed-out"} */
  state = "connecting";
  /** The last events, the oldest first. @type {LoggedEvent[]} */
  events = [];
  /** The number of events of each kind. @type {Map<string, number>} */
  counts = new Map();
  /** @type {EventSource | undefined} */
  #source;
  /** The watched things, with the number of views that watch each. @type {Map<string, number>} */
  #watches = new Map();
  #lastId = "";
  #epoch = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #opening;

  /** Opens the stream, or reopens it when the watched things have changed. */
  open() {
    clearTimeout(this.#opening);
    this.#opening = setTimeout(() => this.#open(), 20);
  }

  /**
   * Watches `rooms`, or the bytes of `connection:N` or `client:N`, until the returned function is
   * called.
   * @param {string} name
   */
  watch(name) {
    this.#count(name, 1);
    this.open();
    return () => {
      this.#count(name, -1);
      this.open();
    };
  }

  /** @param {string} name @param {number} by */
  #count(name, by) {
    const views = (this.#watches.get(name) ?? 0) + by;
    if (views > 0) this.#watches.set(name, views);
    else this.#watches.delete(name);
  }

  #open() {
    this.#source?.close();
    const query = new URLSearchParams({ since: this.#lastId });
    for (const name of this.#watches.keys()) query.append("watch", name);
    const source = new EventSource(`${API}/stream?${query}`);
    this.#source = source;
    source.onopen = () => this.#setState("live");
    source.onerror = () => this.#onError(source);
    source.onmessage = ({ data, lastEventId }) => this.#onEvent(JSON.parse(data), lastEventId);
    for (const type of ["hello", "sample", "bytes", "client", "rooms"]) {
      source.addEventListener(type, ({ data }) => this.#dispatch(type, JSON.parse(data)));
    }
  }

  /**
   * The browser reconnects by itself, unless the response was an error.
   * @param {EventSource} source
   */
  async #onError(source) {
    this.#setState("away");
    if (source.readyState !== EventSource.CLOSED) return;
    try {
      await get("server");
    } catch (error) {
      if (/** @type {any} */ (error).status === 401) return this.#setState("signed-out");
    }
    this.#opening = setTimeout(() => this.#open(), PAUSE);
  }

  /** @param {LoggedEvent} event @param {string} id */
  #onEvent(event, id) {
    this.#lastId = id;
    this.events.push({ ...event, key: id });
    if (this.events.length > MAX_EVENTS) this.events.splice(0, this.events.length - MAX_EVENTS);
    this.counts.set(event.event, (this.counts.get(event.event) ?? 0) + 1);
    this.#dispatch("event", event);
  }

  /** @param {string} type @param {any} detail */
  #dispatch(type, detail) {
    if (type === "hello" && detail.epoch !== this.#epoch) {
      this.#epoch = detail.epoch;
      this.events = [];
      this.counts = new Map();
    }
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {Live["state"]} state */
  #setState(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state"));
  }
}

/** The page's stream. */
export const live = new Live();
