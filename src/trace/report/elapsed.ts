/**
 * Formats durations.
 *
 * @module
 */
const MAX_HOURS = 1000;
const MAX_DAYS = 99_999;

/** Formats milliseconds in at most eight characters, with a suitable unit. */
export function formatElapsed(exact: number): string {
  const microseconds = Math.round(exact * 1000);
  const milliseconds = microseconds / 1000;
  // Negative only by a caller's subtraction; flow times are monotonic.
  if (microseconds < 0) return "earlier";
  if (microseconds === 0) return "0";
  if (microseconds < 1000) return `${microseconds} µs`;
  if (milliseconds < 9.995) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 999.95) return `${milliseconds.toFixed(1)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 99.9995) return `${seconds.toFixed(3)} s`;
  if (seconds < 9999.95) return `${seconds.toFixed(1)} s`;
  if (seconds < MAX_HOURS * 3600) return `${(seconds / 3600).toFixed(1)} h`;
  const days = Math.round(seconds / 86_400);
  return days < MAX_DAYS ? `${days} d` : "> 270 y";
}

/** Formats milliseconds for a sentence: 0 has a unit, too. */
export function formatDuration(milliseconds: number): string {
  const text = formatElapsed(Math.max(0, milliseconds));
  return text === "0" ? "0 µs" : text;
}
