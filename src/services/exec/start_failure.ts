/**
 * Finds out why an executable program did not start. `setsid` and the shell report that only by an exit code, which
 * programs may use as well, so the file is examined.
 *
 * @module
 */
import { programFault } from "./program_fault.ts";
import { findProgram } from "./find_program.ts";

/** Exit codes for a command that could not be executed (POSIX, 2.8.2), and of a shell without its script. */
const NOT_STARTED = new Set<unknown>([2, 126, 127]);

/** The error of `setsid` where it could not execute the program. */
const SETSID_ERROR = /^setsid: .*: ([^:]+)$/;

/** How a program ended, which may not have started. */
export interface EarlyEnd {
  /** Its exit code or signal. */
  readonly exit: unknown;
  /** The first line of its stderr, if known. */
  readonly stderr: string | undefined;
  /** The PATH in which it was looked up. */
  readonly searchPath: string;
}

/** Why the program did not start; `undefined` where it did, or where nothing shows that it did not. */
export function startFailure(
  name: string,
  { exit, stderr = "", searchPath }: EarlyEnd,
): string | undefined {
  if (!NOT_STARTED.has(exit)) return undefined;
  return programFault(name, searchPath) ?? machineFault(findProgram(name, searchPath)!) ??
    SETSID_ERROR.exec(stderr)?.[1];
}

/** Offsets of an ELF header's word size, byte order and machine; see elf(5). */
const MACHINE_FIELDS = [4, 5, 18, 19];

/** Compares the file with our own executable. Checked last, because an emulator may run files of other machines. */
function machineFault(file: string): string | undefined {
  const [head, own] = [readHead(file), readHead("/proc/self/exe")];
  if (!isElf(head) || !isElf(own)) return undefined;
  if (MACHINE_FIELDS.every((at) => head[at] === own[at])) return undefined;
  return "it is for another architecture, or damaged";
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
