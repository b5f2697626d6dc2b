/**
 * Durations and sizes: parsing, and formatting for people.
 *
 * @module
 */

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZE_UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** The longest delay of a timer: 2^31 - 1 milliseconds, a little under 25 days. */
const LONGEST_DURATION = 2 ** 31 - 1;

/** Parses `500ms`, `30s`, `5m`, `2h`, `1d` or a number of seconds into milliseconds; `undefined` if invalid. */
export function parseDuration(word: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(word);
  if (!match) return undefined;
  const milliseconds = Math.round(Number(match[1]) * DURATION_UNITS[match[2] ?? "s"]!);
  return milliseconds <= LONGEST_DURATION ? milliseconds : undefined;
}

/** Formats milliseconds without rounding, as {@linkcode parseDuration} parses them: `1500ms`, `30s`, `2h`. */
export function writeDuration(milliseconds: number): string {
  const units = Object.entries(DURATION_UNITS).reverse();
  const [unit, length] = units.find(([, length]) => milliseconds % length === 0) ?? ["ms", 1];
  return milliseconds === 0 ? "0s" : `${milliseconds / length}${unit}`;
}

/** Parses `4096`, `64k`, `16M`, `1G` or `16MiB` into bytes; `undefined` if invalid. */
export function parseSize(word: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(?:([kmg])(?:i?b)?|b)?$/i.exec(word);
  if (!match) return undefined;
  const bytes = Math.round(Number(match[1]) * (SIZE_UNITS[match[2]?.toLowerCase() ?? ""] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A count with its noun: `1 connection`, `2 connections`. */
export function formatCount(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

/** Rounds a duration for people: `340 µs`, `12.3 ms`, `4.20 s`, `3m 20s`, `5h 2m`, `2d 4h`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 0.9995) return `${Math.round(milliseconds * 1000)} µs`;
  if (milliseconds < 999.5) return `${threeDigits(milliseconds)} ms`;
  if (milliseconds < 59_950) return `${threeDigits(milliseconds / 1000)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
  const hours = Math.floor(minutes / 60);
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}

/** Rounds a size for people: `5 B`, `1.20 KiB`, `3.40 GiB`. */
export function formatSize(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${Math.round(value)} B` : `${threeDigits(value)} ${units[unit]}`;
}

/** Formats a share from 0 to 1: `33.3 %`. Less than 1 is never rounded up to `100 %`. */
export function formatPercent(share: number): string {
  const percent = share < 1 ? Math.min(share * 100, 99.9) : share * 100;
  return `${percent > 0 && percent < 0.01 ? "under 0.01" : threeDigits(percent)} %`;
}

/** Formats three significant digits without an exponent: `0.123`, `9.99`, `12.3`, `123`, `4321`. */
export function threeDigits(value: number): string {
  return value >= 999.5 ? String(Math.round(value)) : value.toPrecision(3);
}

/** Rounds to three decimals, for JSON: milliseconds to microseconds. */
export function roundMilliseconds(value: number): number {
  return Math.round(value * 1000) / 1000;
}
