/**
 * Functions of the C library that Deno lacks. It is loaded on first use, only on Linux and with
 * permission for FFI.
 *
 * @module
 */

/** The functions and their signatures. */
export const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  malloc_trim: { parameters: ["usize"], result: "i32", nonblocking: true, optional: true },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "isize" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The C library's functions. Each returns a negative number on errors. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let loaded: Libc | "none" | undefined;

/** The C library; `undefined` if it is not available. */
export function libc(): Libc | undefined {
  loaded ??= load();
  return loaded === "none" ? undefined : loaded;
}

function load(): Libc | "none" {
  try {
    // Checked first: loading without permission would prompt on a terminal.
    const { state } = Deno.permissions.querySync({ name: "ffi" });
    if (Deno.build.os !== "linux" || state !== "granted") return "none";
    return Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  } catch {
    return "none";
  }
}
