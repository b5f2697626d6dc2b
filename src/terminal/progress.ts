/**
 * Shows the progress of a transfer on a status line.
 *
 * @module
 */
import { formatDuration, formatSize } from "../options/quantity.ts";
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("showing progress", {
  consequence: "the transfer continues",
});

/** How often the line is updated, in milliseconds. */
const PERIOD = 500;

/** The byte counters of a transfer. */
export interface Transfer {
  /** Bytes sent. */
  readonly bytesOut: number;
  /** Bytes received. */
  readonly bytesIn: number;
}

/** Updates the status with the transfer's progress; disposing the result writes the final status. */
export function showProgress(
  transfer: Transfer,
  { size, status }: { size: number | undefined; status(line: string): void },
): Disposable {
  const start = performance.now();
  let before = { at: start, bytes: 0 };
  const update = () => {
    const now = performance.now();
    const bytes = transfer.bytesIn + transfer.bytesOut;
    const rate = (bytes - before.bytes) / Math.max(now - before.at, 1) * 1000;
    before = { at: now, bytes };
    status(progressLine(transfer, { rate, size }));
  };
  const timer = setInterval(tasks.guard(update), PERIOD);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      const elapsed = Math.max(performance.now() - start, 1);
      const rate = (transfer.bytesIn + transfer.bytesOut) / elapsed * 1000;
      status(progressLine(transfer, { rate, size: undefined }) + ` in ${formatDuration(elapsed)}`);
    },
  };
}

/** `1.20 GiB sent (40 %), 0 B received, 210 MiB/s, 9.10 s left`. `size` is the number of bytes to send. */
export function progressLine(
  { bytesOut, bytesIn }: Transfer,
  { rate, size }: { rate: number; size: number | undefined },
): string {
  const share = size ? ` (${Math.floor(bytesOut / size * 100)} %)` : "";
  const left = size && rate > 0 && bytesOut < size
    ? `, ${formatDuration((size - bytesOut) / rate * 1000)} left`
    : "";
  return `${formatSize(bytesOut)} sent${share}, ${formatSize(bytesIn)} received, ` +
    `${formatSize(Math.round(rate))}/s${left}`;
}
