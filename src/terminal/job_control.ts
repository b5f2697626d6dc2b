/**
 * POSIX job control: only the foreground process group may read from the terminal or set its modes; others are
 * stopped by SIGTTIN or SIGTTOU.
 *
 * @module
 */

/**
 * Whether this process is in the foreground. Check before each use of the terminal: `fg` sends no signal to a running
 * job. `true` where there is no controlling terminal or no /proc.
 */
export function isInForeground(): boolean {
  const { group, terminal, foreground } = readStat();
  return terminal === 0 || group === foreground;
}

/** Stops the process group as Ctrl-Z does; returns when it is continued. */
export function stopJob(): void {
  const { group } = readStat();
  Deno.kill(group === undefined ? Deno.pid : -group, "SIGTSTP");
}

/** The fields `pgrp`, `tty_nr` and `tpgid` of proc_pid_stat(5). */
function readStat(): { group?: number; terminal: number; foreground?: number } {
  try {
    const stat = Deno.readTextFileSync("/proc/self/stat");
    // The name of the program may contain spaces and parentheses.
    const [, , , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(")") + 1).split(" ");
    return { group: Number(group), terminal: Number(terminal), foreground: Number(foreground) };
  } catch {
    return { terminal: 0 };
  }
}
