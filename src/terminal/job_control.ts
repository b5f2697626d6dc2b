/**
 * Whose turn the terminal is, as POSIX's job control has it: of the shell's jobs only the one in the foreground may
 * read from its terminal or set its modes. Another one that tries is stopped, with all of its outlets.
 *
 * @module
 */

/**
 * Whether this process may use its terminal right now. Look before each use: no signal tells of `fg`.
 *
 * Where there is no controlling terminal, or no /proc to ask, nobody would stop it.
 */
export function isInForeground(): boolean {
  const { group, terminal, foreground } = readStat();
  return terminal === 0 || group === foreground;
}

/** Stops this job, as Ctrl-Z does where the terminal sees to it; returns once it is continued. */
export function stopJob(): void {
  const { group } = readStat();
  Deno.kill(group === undefined ? Deno.pid : -group, "SIGTSTP");
}

/** The fields `pgrp`, `tty_nr` and `tpgid` of proc_pid_stat(5). */
function readStat(): { group?: number; terminal: number; foreground?: number } {
  try {
    const stat = Deno.readTextFileSync("/proc/self/stat");
    // The name of the program may have spaces and brackets in it.
    const [, , , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(")") + 1).split(" ");
    return { group: Number(group), terminal: Number(terminal), foreground: Number(foreground) };
  } catch {
    return { terminal: 0 };
  }
}
