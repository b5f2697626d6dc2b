/** Milliseconds in at most eight characters, in the unit that suits them. */
export function formatElapsed(milliseconds: number): string {
  const microseconds = Math.round(milliseconds * 1000);
  if (microseconds === 0) return "0";
  if (microseconds < 1000) return `${microseconds} µs`;
  if (milliseconds < 9.995) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 999.95) return `${milliseconds.toFixed(1)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 99.9995) return `${seconds.toFixed(3)} s`;
  if (seconds < 9999.95) return `${seconds.toFixed(1)} s`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
