// @ts-check
/** Formats numbers and times. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `5 B`, `1.2 KiB`. @param {number} [bytes] */
export function size(bytes = 0) {
  let unit = 0;
  let value = bytes;
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1024;
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** `340 ms`, `3.2 s`, `3m 20s`, `5h 2m`, `2d 4h`. @param {number} milliseconds */
export function duration(milliseconds) {
  if (milliseconds < 999.5) return `${milliseconds.toFixed(milliseconds < 10 ? 1 : 0)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.5) return `${seconds.toFixed(seconds < 9.95 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m ${whole % 60}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h ${minutes % 60}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** `12,345`. @param {number} [number] */
export function count(number = 0) {
  return number.toLocaleString("en");
}

/** `21:15:03`, in the reader's time zone. @param {number | string} at */
export function clock(at) {
  return new Date(at).toTimeString().slice(0, 8);
}

/** `21:15:03.123` @param {number} at */
export function preciseClock(at) {
  return `${clock(at)}.${String(new Date(at).getMilliseconds()).padStart(3, "0")}`;
}
