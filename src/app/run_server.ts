/**
 * `outlet server` as a process: events go to the log, and an operator at the terminal is listened to.
 *
 * @module
 */
import type { LineEditor } from "../terminal/line_editor.ts";
import type { ServerCommand } from "../cli/server_args.ts";
import { EventBus } from "../events/event_bus.ts";
import { serve } from "./serve.ts";
import type { Standard } from "../services/service.ts";
import { publishFaults } from "../telemetry/faults.ts";
import { abortable, configChanges, loadConfig, watchConfig } from "./config_changes.ts";
import { ConsoleHost } from "./console_host.ts";
import { trimHeap } from "./heap_trim.ts";
import { refuseKeyLog } from "./key_log.ts";
import { Observers } from "./observers.ts";
import { printable } from "../terminal/printable.ts";
import { StatusLine } from "../terminal/status_line.ts";
import {
  flushStdio,
  isTerminalStuck,
  stderr,
  stdinChunks,
  stdout,
  terminalOutput,
  writeStdout,
} from "../terminal/stdio.ts";

/** What the system and the terminal ask of a running server. */
export interface ServerSignals {
  /** Aborted when the server is to stop. */
  readonly signal: AbortSignal;
  /** Registers who is called when somebody asks for another look at the config's file. */
  onHangup(look: () => void): void;
  /** Does what Ctrl-C does. */
  interrupt(): void;
}

/**
 * Serves until the signal is aborted and the connections have drained.
 *
 * @returns whether all went well where only one client was served
 */
export async function runServerMode(
  command: ServerCommand,
  signals: ServerSignals,
): Promise<boolean> {
  const { signal, interrupt } = signals;
  using watcher = await watchConfig(command, signals);
  const config = await abortable(loadConfig(command), signal);
  if (config === undefined) return true;
  // Whose clients are joined to the standard streams has no operator there.
  const lends = config.outlets.some(({ service }) => service === "stdio");
  using editor = lends ? undefined : await openEditor(interrupt);
  using status = lends && Deno.stderr.isTerminal() ? new StatusLine(stderr) : undefined;
  const { standard, outcome } = lend(signals, status);
  const write = lineWriter(editor, status);
  await refuseKeyLog((line) => write(`outlet: ${printable(line)}`));
  const eventBus = new EventBus();
  publishFaults(eventBus);
  try {
    using stack = new DisposableStack();
    await using observers = await Observers.open(config.options, { eventBus, write });
    stderr.notice = (count) => observers.droppedLine(count);
    await using consoleHost = await ConsoleHost.open(config.options, {
      eventBus,
      byDefault: "namesOutlets" in command && !command.namesOutlets,
      tell: editor || lends ? write : (line) => stdout.writeLine(line),
    });
    await serve(config, {
      signal,
      eventBus,
      standard,
      changes: configChanges(command, { watcher, signal, eventBus, atStart: config }),
      observers: [observers, consoleHost],
      async onOpen(server) {
        observers.watch(server);
        const { ladders } = observers;
        consoleHost.watch(server, ladders);
        stack.use(trimHeap(server));
        if (editor) {
          const { listenToOperator } = await import("./operator.ts");
          stack.use(listenToOperator(server, { editor, interrupt, ladders }));
        }
      },
    });
    return outcome.isWell;
  } finally {
    await flushStdio();
  }
}

/** The standard streams, for clients that are joined to them, and what came of those clients. */
function lend(
  { signal, interrupt }: ServerSignals,
  status: StatusLine | undefined,
): { standard: Standard; outcome: { isWell: boolean } } {
  const outcome = { isWell: true };
  const standard: Standard = {
    input: stdinChunks(),
    write: writeStdout,
    status: status && ((line) => status.show(line)),
    end(well) {
      if (!well) outcome.isWell = false;
      if (!signal.aborted) interrupt();
    },
  };
  return { standard, outcome };
}

/** Where lines for whoever started the server go: above what else is shown on a terminal. */
function lineWriter(
  editor: LineEditor | undefined,
  status: StatusLine | undefined,
): (line: string) => void {
  if (status) return (line) => status.above(line);
  if (editor && Deno.stderr.isTerminal()) return (line) => editor.show(line + "\n");
  return (line) => stderr.writeLine(line);
}

/** What an operator types in. It brings much of Node's along, which a server in the background has no use for. */
async function openEditor(onInterrupt: () => void): Promise<LineEditor | undefined> {
  const output = terminalOutput();
  if (output === undefined) return undefined;
  const { LineEditor } = await import("../terminal/line_editor.ts");
  return new LineEditor({ output, isStuck: isTerminalStuck, onInterrupt });
}
