// @ts-check
/** What happens, as it happens: one event stream for the whole page. */
import { API, get } from "./api.js";

/** How many events the page remembers. */
const KEPT = 2000;

/** How long it waits before it asks again, in milliseconds. */
const PAUSE = 2000;

/**
 * An event as the log has it: `event`, `time`, `level`, and what else it tells.
 * @typedef {Record<string, any> & { event: string, time: string, level: string, key: string }} Told
 */

class Live extends EventTarget {
  /** @type {"connecting" | "live" | "away" | "signed-out"} */
  state = "connecting";
  /** The last events, the oldest first. @type {Told[]} */
  events = [];
  /** How many of each there were. @type {Map<string, number>} */
  counts = new Map();
  /** @type {EventSource | undefined} */
  #source;
  /** What is watched, and by how many views. @type {Map<string, number>} */
  #watches = new Map();
  #lastId = "";
  #epoch = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #opening;

  /** Opens the stream, or opens it anew when something else is to be watched. */
  open() {
    clearTimeout(this.#opening);
    this.#opening = setTimeout(() => this.#open(), 20);
  }

  /** Watches `rooms`, or the bytes of `connection:N` or `client:N`, until what it returns is called. @param {string} name */
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
    source.onopen = () => this.#become("live");
    source.onerror = () => this.#lose(source);
    source.onmessage = ({ data, lastEventId }) => this.#hear(JSON.parse(data), lastEventId);
    for (const type of ["hello", "sample", "bytes", "client", "rooms"]) {
      source.addEventListener(type, ({ data }) => this.#tell(type, JSON.parse(data)));
    }
  }

  /** The browser tries again by itself, unless the server has said no. @param {EventSource} source */
  async #lose(source) {
    this.#become("away");
    if (source.readyState !== EventSource.CLOSED) return;
    try {
      await get("server");
    } catch (error) {
      if (/** @type {any} */ (error).status === 401) return this.#become("signed-out");
    }
    this.#opening = setTimeout(() => this.#open(), PAUSE);
  }

  /** @param {Told} event @param {string} id */
  #hear(event, id) {
    this.#lastId = id;
    this.events.push({ ...event, key: id });
    if (this.events.length > KEPT) this.events.splice(0, this.events.length - KEPT);
    this.counts.set(event.event, (this.counts.get(event.event) ?? 0) + 1);
    this.#tell("event", event);
  }

  /** @param {string} type @param {any} detail */
  #tell(type, detail) {
    if (type === "hello" && detail.epoch !== this.#epoch) {
      this.#epoch = detail.epoch;
      this.events = [];
      this.counts = new Map();
    }
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {Live["state"]} state */
  #become(state) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state"));
  }
}

/** The page's stream. */
export const live = new Live();
