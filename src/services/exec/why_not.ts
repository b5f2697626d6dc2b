/**
 * Why the system would not start a program that is there and may be run. What starts it can only say that it failed, by
 * an exit code that a program may have, too; the file itself tells more.
 *
 * @module
 */
import { programFault } from "./program_fault.ts";
import { findProgram } from "./find_program.ts";

/** The exit codes of whoever could not become another program (POSIX, 2.8.2), and of a shell that was given no script. */
const NOT_STARTED = new Set<unknown>([2, 126, 127]);

/** How what makes a program the leader of a group complains that it could not become the program. */
const STARTER_COMPLAINT = /^setsid: .*: ([^:]+)$/;

/** How a program ended that may not have been one. */
export interface EarlyEnd {
  /** Its exit code, or the signal that ended it. */
  readonly exit: unknown;
  /** The first line of what it complained of, where it is known. */
  readonly complaint: string | undefined;
  /** Where it was looked for. */
  readonly searchPath: string;
}

/** Why the program of this name did not even start; `undefined` where it did, or where nothing says that it did not. */
export function whyNotStarted(
  name: string,
  { exit, complaint = "", searchPath }: EarlyEnd,
): string | undefined {
  if (!NOT_STARTED.has(exit)) return undefined;
  return programFault(name, searchPath) ?? machineFault(findProgram(name, searchPath)!) ??
    STARTER_COMPLAINT.exec(complaint)?.[1];
}

/** Where an ELF header tells the word's size, the order of bytes, and the kind of processor (elf(5)). */
const TELLING = [4, 5, 18, 19];

/** Our own file is for the machine that this is: one of another kind may still run, with an emulator. */
function machineFault(file: string): string | undefined {
  const [head, own] = [readHead(file), readHead("/proc/self/exe")];
  if (!isElf(head) || !isElf(own)) return undefined;
  if (TELLING.every((at) => head[at] === own[at])) return undefined;
  return "it is for another kind of machine, or damaged";
}

function isElf(head: Uint8Array | undefined): head is Uint8Array {
  return head !== undefined && new TextDecoder("latin1").decode(head.subarray(0, 4)) === "\x7fELF";
}

function readHead(file: string): Uint8Array | undefined {
  try {
    using opened = Deno.openSync(file);
    const head = new Uint8Array(20);
    return head.subarray(0, opened.readSync(head) ?? 0);
  } catch {
    return undefined;
  }
}
