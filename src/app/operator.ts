/**
 * The operator of a server: who sits at its terminal.
 *
 * @module
 */
import type { LineEditor } from "../terminal/line_editor.ts";
import { runOperator } from "../cli/operator.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { renderLadder } from "../trace/report/ladder_text.ts";
import type { ServerHandle } from "../server/handle.ts";
import type { Ladders } from "../telemetry/ladders.ts";

/** What an operator is heard and shown with. */
export interface OperatorOptions {
  /** Where lines are typed. */
  readonly editor: LineEditor;
  /** Does what Ctrl-C does. */
  interrupt(): void;
  /** The handshakes of the server's connections, where they are kept. */
  readonly ladders: Ladders | undefined;
}

const tasks = new TaskScope("the operator's terminal", {
  without: "the server goes on without an operator",
});

/** Does what the operator types, until there is no more of it, or until it is disposed. */
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
