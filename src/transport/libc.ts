/**
 * Functions of the C library, for what Deno cannot do with sockets. It is loaded when the first is needed, on Linux
 * alone, and never where foreign functions are not allowed: whoever asks has to do without.
 *
 * @module
 */

/** What is used of the C library, and how it is called. */
export const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What is used of the C library. Each returns a negative number where the system refuses. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let loaded: Libc | "none" | undefined;

/** The C library; `undefined` where it cannot be had. */
export function libc(): Libc | undefined {
  loaded ??= load();
  return loaded === "none" ? undefined : loaded;
}

function load(): Libc | "none" {
  try {
    // Asked first, because loading would ask whoever sits at a terminal.
    const { state } = Deno.permissions.querySync({ name: "ffi" });
    if (Deno.build.os !== "linux" || state !== "granted") return "none";
    return Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  } catch {
    return "none";
  }
}
