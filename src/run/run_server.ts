/**
 * `outlet server` as a process: events go to stderr, and an operator at the terminal is listened to.
 *
 * @module
 */
import { LineEditor } from "../cli/line_editor.ts";
import { operate } from "../cli/operator.ts";
import type { ServerConfig } from "../config/server_config.ts";
import { Journal } from "../observe/journal.ts";
import { LineWriter } from "../observe/line_writer.ts";
import { openLog } from "../observe/log.ts";
import { serve, type Server } from "../server.ts";
import { lines } from "../socket/lines.ts";
import { isAtTerminal, stdinChunks } from "./stdio.ts";

/** The longest line that an operator types, in bytes. */
const TYPED_LIMIT = 4 * 1024;

/**
 * Serves until the signal is aborted and the connections have drained.
 *
 * @returns how many connections had to be cut
 */
export async function runServer(
  config: ServerConfig,
  { signal, interrupt }: { signal: AbortSignal; interrupt(): void },
): Promise<number> {
  using editor = isAtTerminal() ? new LineEditor({ onInterrupt: interrupt }) : undefined;
  const stderr = new LineWriter(Deno.stderr);
  const write = editor && Deno.stderr.isTerminal()
    ? (line: string) => editor.show(line + "\n")
    : (line: string) => stderr.write(line);
  const journal = new Journal();
  const { "log-level": level, "log-format": format } = config.options;
  await using _log = await openLog(journal, {
    level,
    format,
    write,
    colour: Deno.stderr.isTerminal(),
  });
  const onOpen = (server: Server) => {
    if (Deno.stdin.isTerminal()) listenToOperator(server, { editor, write, interrupt });
  };
  try {
    return await serve(config, { signal, journal, onOpen });
  } finally {
    await stderr.flush();
  }
}

function listenToOperator(
  server: Server,
  { editor, write, interrupt }: {
    editor: LineEditor | undefined;
    write(line: string): void;
    interrupt(): void;
  },
): void {
  const typed = editor?.lines() ?? lines(stdinChunks(), { limit: TYPED_LIMIT });
  operate(typed, {
    rooms: server.rooms,
    connections: () => server.connections(),
    quit: interrupt,
    show: editor ? (text) => editor.show(text) : (text) => write(text.trimEnd()),
  }).catch((error) => write(`the terminal is gone: ${error}`));
}
