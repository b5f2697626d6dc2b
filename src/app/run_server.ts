/**
 * `outlet server` as a process, with its log, metrics, console and operator.
 *
 * @module
 */
import type { LineEditor } from "../terminal/line_editor.ts";
import type { ServerCommand } from "../cli/server_args.ts";
import type { ServerConfig } from "../config/server_config.ts";
import { EventBus } from "../events/event_bus.ts";
import { serve } from "./serve.ts";
import { usesStandardStreams } from "../config/outlet_rules.ts";
import { isOrderly } from "../connection/end_reason.ts";
import type { OnceEnd } from "../server/handle.ts";
import type { Exit } from "../services/exec/program.ts";
import type { StandardStreams } from "../services/service.ts";
import { TaskScope } from "../scheduling/task_scope.ts";
import { publishFaults } from "../telemetry/faults.ts";
import { abortable, configChanges, loadConfig, watchConfig } from "./config_changes.ts";
import { ConsoleManager, type ConsoleManagerOptions } from "./console_manager.ts";
import { trimHeap } from "../server/heap_trim.ts";
import { refuseKeyLog } from "./key_log.ts";
import { Observers, type ObserversOptions } from "./observers.ts";
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

const restarting = new TaskScope("restarting the workers", {
  consequence: "those that were not replaced go on",
});

/** What signals and the terminal ask of a running server. */
export interface ServerSignals {
  /** Aborted to stop the server. */
  readonly signal: AbortSignal;
  /** Sets the callback for SIGHUP, which reloads the config. */
  onHangup(callback: () => void): void;
  /** Sets the callback for SIGUSR2, which restarts the workers. */
  onRestart(callback: () => void): void;
  /** Does what Ctrl-C does. */
  interrupt(): void;
}

/**
 * Runs the server until the signal is aborted, or the client of an outlet with `once` has been served, and the
 * connections have drained.
 *
 * @returns the exit code: how the only client ended, otherwise 0
 */
export async function runServerMode(
  command: ServerCommand,
  signals: ServerSignals,
): Promise<number> {
  const { signal, interrupt } = signals;
  using watcher = await watchConfig(command, signals);
  const config = await abortable(loadConfig(command), signal);
  if (config === undefined) return 0;
  // The stdio service uses the standard streams, so there is no operator then.
  const usesStdio = config.outlets.some(usesStandardStreams);
  using editor = usesStdio ? undefined : await openEditor(interrupt);
  using status = usesStdio && Deno.stderr.isTerminal() ? new StatusLine(stderr) : undefined;
  const { standard, outcome } = standardStreams(signals, status);
  const write = lineWriter(editor, status);
  await refuseKeyLog((line) => write(`outlet: ${printable(line)}`));
  const eventBus = new EventBus();
  publishFaults(eventBus);
  const changes = configChanges(command, { watcher, signal, eventBus, atStart: config });
  try {
    const end = await runServer(config, {
      ...{ signals, eventBus, standard, changes, editor, write },
      announce: editor || usesStdio ? write : (line) => stdout.writeLine(line),
      byDefault: "namesOutlets" in command && !command.namesOutlets,
    });
    return end ? await onceExitCode(end) : outcome.isOk ? 0 : 1;
  } finally {
    await flushStdio();
  }
}

/** The parts of the process around a server. */
interface ServerProcess extends ConsoleManagerOptions, ObserversOptions {
  readonly signals: ServerSignals;
  readonly standard: StandardStreams;
  readonly changes: AsyncIterable<ServerConfig>;
  readonly editor: LineEditor | undefined;
}

/** Resolves to how the only client ended, with `once`. */
async function runServer(
  config: ServerConfig,
  process: ServerProcess,
): Promise<OnceEnd | undefined> {
  const { signals, eventBus, standard, changes, editor } = process;
  const { signal, interrupt } = signals;
  using stack = new DisposableStack();
  await using observers = await Observers.open(config.options, process);
  stderr.notice = (count) => observers.droppedLine(count);
  await using consoleManager = await ConsoleManager.open(config.options, process);
  let done: AbortSignal | undefined;
  await serve(config, {
    ...{ signal, eventBus, standard, changes },
    observers: [observers, consoleManager],
    http: { metrics: observers.metricsAddress, console: consoleManager.address },
    async onOpen(server) {
      done = server.done;
      observers.watch(server);
      const { ladders } = observers;
      consoleManager.watch(server, ladders);
      signals.onRestart(restarting.guard(() => server.restart()));
      stack.use(trimHeap());
      if (editor) {
        const { listenToOperator } = await import("./operator.ts");
        stack.use(listenToOperator(server, { editor, interrupt, ladders }));
      }
    },
  });
  return done?.aborted ? done.reason : undefined;
}

/** The exit code of the program that served the only client; without a program, whether the client ended in order. */
async function onceExitCode({ reason = "server closed", notes }: OnceEnd): Promise<number> {
  const exit = notes?.exit;
  if (exit !== undefined) {
    const { exitCodeOf } = await import("../services/exec/exit_code.ts");
    return exitCodeOf(exit as Exit);
  }
  return isOrderly(reason) ? 0 : 1;
}

/** The standard streams for the stdio service, and whether its client was served without a failure. */
function standardStreams(
  { signal, interrupt }: ServerSignals,
  status: StatusLine | undefined,
): { standard: StandardStreams; outcome: { isOk: boolean } } {
  const outcome = { isOk: true };
  const standard: StandardStreams = {
    input: stdinChunks(),
    write: writeStdout,
    status: status && ((line) => status.show(line)),
    end(isOk) {
      if (!isOk) outcome.isOk = false;
      if (!signal.aborted) interrupt();
    },
  };
  return { standard, outcome };
}

/** Writes lines above the line being typed or the status line. */
function lineWriter(
  editor: LineEditor | undefined,
  status: StatusLine | undefined,
): (line: string) => void {
  if (status) return (line) => status.above(line);
  if (editor && Deno.stderr.isTerminal()) return (line) => editor.show(line + "\n");
  return (line) => stderr.writeLine(line);
}

/** The operator's line editor. It is loaded only at a terminal, because it loads much of Node's compatibility layer. */
async function openEditor(onInterrupt: () => void): Promise<LineEditor | undefined> {
  const output = terminalOutput();
  if (output === undefined) return undefined;
  const { LineEditor } = await import("../terminal/line_editor.ts");
  return new LineEditor({ output, isStuck: isTerminalStuck, onInterrupt });
}
