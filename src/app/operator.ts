/**
 * Runs the operator's commands at the server's terminal.
 *
 * @module
 */
import type { LineEditor } from "../terminal/line_editor.ts";
import { runOperator } from "../cli/operator.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { renderLadder } from "../trace/report/ladder_text.ts";
import type { ServerHandle } from "../server/handle.ts";
import type { Ladders } from "../telemetry/ladders.ts";

/** What the operator's terminal depends on. */
export interface OperatorOptions {
  /** The terminal. */
  readonly editor: LineEditor;
  /** Does what Ctrl-C does. */
  interrupt(): void;
  /** The handshakes of the server's connections, if they are kept. */
  readonly ladders: Ladders | undefined;
}

const tasks = new TaskScope("reading the operator's terminal", {
  consequence: "the server continues without an operator",
});

/** Runs what the operator types, until the input ends or the result is disposed. */
export function listenToOperator(
  server: ServerHandle,
  { editor, interrupt, ladders }: OperatorOptions,
): Disposable {
  tasks.run(runOperator(editor.lines(), {
    rooms: server.rooms,
    connections: () => server.connections(),
    ladder(connection) {
      const ladder = ladders?.of(connection);
      return ladder && renderLadder(ladder, { color: !Deno.noColor });
    },
    quit: interrupt,
    show: (text) => editor.show(text),
  }));
  return editor;
}
