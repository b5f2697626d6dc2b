/**
 * How far a transfer is, on one line that is written over again and again.
 *
 * @module
 */
import { formatDuration, formatSize } from "../options/quantity.ts";
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("showing progress", {
  without: "the transfer goes on",
});

/** How often the line is written, in milliseconds. */
const PERIOD = 500;

/** What is counted, by whoever moves the bytes. */
export interface Transfer {
  /** Bytes that went out so far. */
  readonly bytesOut: number;
  /** Bytes that came in so far. */
  readonly bytesIn: number;
}

/** Shows the progress of a transfer until it is disposed, which leaves the last line standing. */
export function showProgress(
  transfer: Transfer,
  { size, status }: { size: number | undefined; status(line: string): void },
): Disposable {
  const start = performance.now();
  let before = { at: start, bytes: 0 };
  const look = () => {
    const now = performance.now();
    const bytes = transfer.bytesIn + transfer.bytesOut;
    const rate = (bytes - before.bytes) / Math.max(now - before.at, 1) * 1000;
    before = { at: now, bytes };
    status(progressLine(transfer, { rate, size }));
  };
  const timer = setInterval(tasks.guard(look), PERIOD);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      const elapsed = Math.max(performance.now() - start, 1);
      const rate = (transfer.bytesIn + transfer.bytesOut) / elapsed * 1000;
      status(progressLine(transfer, { rate, size: undefined }) + ` in ${formatDuration(elapsed)}`);
    },
  };
}

/** `1.20 GiB sent (40 %), 0 B received, 210 MiB/s, 9.10 s left`. The size is that of what is sent. */
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
