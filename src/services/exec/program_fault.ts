/**
 * Checks whether a program can be started, by its file.
 *
 * @module
 */
import { explain } from "../../transport/errors.ts";
import { findProgram } from "./find_program.ts";

/** How many bytes of the file are read: the kernel's limit for a `#!` line (BINPRM_BUF_SIZE). */
const HEAD = 256;

/** Offsets in the header of a 64-bit ELF file, and the type of the program header PT_INTERP; see elf(5). */
const ELF = { header: 64, offset: 32, size: 54, count: 56, interpreter: 3 };

/** Why the program or its interpreter cannot be started; `undefined` where it can. */
export function programFault(name: string, searchPath: string): string | undefined {
  const path = findProgram(name, searchPath);
  if (path === undefined) return "no such program, or no permission to run it";
  try {
    using file = Deno.openSync(path);
    const head = new Uint8Array(HEAD);
    const length = file.readSync(head) ?? 0;
    if (length === 0) return "the file is empty";
    const interpreter = scriptInterpreter(head) ?? elfInterpreter(file, head);
    if (interpreter === undefined || findProgram(interpreter, "") !== undefined) return undefined;
    return `its interpreter ${interpreter} does not exist`;
  } catch (error) {
    // A file can be executable but not readable.
    return error instanceof Deno.errors.PermissionDenied ? undefined : explain(error);
  }
}

/** The interpreter after `#!`. */
function scriptInterpreter(head: Uint8Array): string | undefined {
  const [line = ""] = new TextDecoder().decode(head).split("\n", 1);
  return /^#![ \t]*([^ \t\0]+)/.exec(line)?.[1];
}

/** The dynamic loader of a 64-bit, little-endian ELF file. */
function elfInterpreter(file: Deno.FsFile, head: Uint8Array): string | undefined {
  const isElf = new TextDecoder().decode(head.subarray(1, 4)) === "ELF" && head[0] === 0x7f;
  if (!isElf || head[4] !== 2 || head[5] !== 1) return undefined;
  readAt(file, { offset: 0, length: ELF.header });
  const view = new DataView(head.buffer);
  const start = Number(view.getBigUint64(ELF.offset, true));
  const size = view.getUint16(ELF.size, true);
  for (let at = 0; at < view.getUint16(ELF.count, true); at++) {
    const header = new DataView(readAt(file, { offset: start + at * size, length: size }).buffer);
    if (header.getUint32(0, true) !== ELF.interpreter) continue;
    const [offset, length] = [8, 32].map((field) => Number(header.getBigUint64(field, true)));
    const bytes = readAt(file, { offset: offset!, length: Math.min(length!, 4096) });
    return new TextDecoder().decode(bytes).replace(/\0.*$/s, "");
  }
}

function readAt(
  file: Deno.FsFile,
  { offset, length }: { offset: number; length: number },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let done = 0; done < length;) {
    const read = file.readSync(bytes.subarray(done));
    if (read === null) throw new Error("the file is truncated");
    done += read;
  }
  return bytes;
}
