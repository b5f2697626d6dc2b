/**
 * The operator of a server: who sits at its terminal.
 *
 * @module
 */
import type { LineEditor } from "../terminal/line_editor.ts";
import { operate } from "../cli/operator.ts";
import { renderLadder } from "../trace/report/ladder_text.ts";
import type { ServerHandle } from "../server/handle.ts";
import type { Ladders } from "../telemetry/ladders.ts";
import { lines } from "../connection/lines.ts";
import { stdinChunks } from "../terminal/stdio.ts";

/** The longest line that an operator types, in bytes. */
const TYPED_LIMIT = 4 * 1024;

/** What an operator is heard and shown with. */
export interface OperatorOptions {
  /** Where lines are typed, if it is an editor. */
  readonly editor: LineEditor | undefined;
  /** Shows a line where there is no editor. */
  write(line: string): void;
  /** Does what Ctrl-C does. */
  interrupt(): void;
  /** The handshakes of the server's connections, where they are kept. */
  readonly ladders: Ladders | undefined;
}

/** Does what the operator types, until there is no more of it. */
export function listenToOperator(
  server: ServerHandle,
  { editor, write, interrupt, ladders }: OperatorOptions,
): void {
  const typed = editor?.lines() ?? lines(stdinChunks(), { limit: TYPED_LIMIT });
  operate(typed, {
    rooms: server.rooms,
    connections: () => server.connections(),
    ladder(connection) {
      const ladder = ladders?.of(connection);
      return ladder && renderLadder(ladder, { color: editor !== undefined && !Deno.noColor });
    },
    quit: interrupt,
    show: editor ? (text) => editor.show(text) : (text) => write(text.trimEnd()),
  }).catch((error) => write(`the terminal is gone: ${error}`));
}
