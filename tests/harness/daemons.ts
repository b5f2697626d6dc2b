/**
 * Servers of others that tests talk to, each with a configuration of its own: HAProxy, stunnel, nginx.
 *
 * @module
 */
import { freePort, isOpen } from "./ports.ts";
import { Program } from "./program.ts";

/** A running server at a port of 127.0.0.1. */
export type Daemon = { readonly port: number } & AsyncDisposable;

/** The lines of a configuration for a server that listens on `port`, with files in `folder`. */
type Lines = (port: number, folder: string) => readonly string[];

/** HAProxy. */
export function haproxy(lines: Lines): Promise<Daemon> {
  const defaults = ["defaults", "timeout connect 5s", "timeout client 5s", "timeout server 5s"];
  return start(lines, {
    command: (file) => ["haproxy", "-db", "-f", file],
    wrap: (text) => [...defaults, ...text],
  });
}

/** stunnel, with one service. */
export function stunnel(lines: Lines): Promise<Daemon> {
  return start(lines, {
    command: (file) => ["stunnel4", file],
    wrap: (text) => ["foreground = yes", "pid =", "[test]", ...text],
  });
}

/** nginx, with the lines of a `stream` block. */
export function nginx(lines: Lines): Promise<Daemon> {
  const module = "load_module /usr/lib/nginx/modules/ngx_stream_module.so;";
  return start(lines, {
    command: (file, folder) => ["nginx", "-p", folder, "-c", file, "-e", "stderr"],
    wrap: (text, folder) => [
      ...[module, "daemon off;", "master_process off;", `pid ${folder}/pid;`, "events {}"],
      ...["stream {", ...text, "}"],
    ],
  });
}

async function start(
  lines: Lines,
  { command, wrap }: {
    command(file: string, folder: string): [string, ...string[]];
    wrap(lines: readonly string[], folder: string): readonly string[];
  },
): Promise<Daemon> {
  const port = freePort();
  const folder = await Deno.makeTempDir();
  const file = `${folder}/server.cfg`;
  await Deno.writeTextFile(file, [...wrap(lines(port, folder), folder), ""].join("\n"));
  const program = new Program(command(file, folder));
  await isOpen(port);
  return {
    port,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/** openssl's server, which sends each line back reversed, and what it prints. */
export async function opensslReverser(
  { cert, key }: { readonly cert: string; readonly key: string },
  ...words: string[]
): Promise<Program & { readonly port: string }> {
  const isUnix = words.includes("-unix");
  const program = new Program([
    ...["openssl", "s_server", "-cert", cert, "-key", key, "-rev"] as const,
    ...isUnix ? [] : ["-accept", "127.0.0.1:0"],
    ...words,
  ]);
  const [, port = ""] = await program.prints(/ACCEPT(?: 127\.0\.0\.1:(\d+))?/);
  return Object.assign(program, { port });
}
