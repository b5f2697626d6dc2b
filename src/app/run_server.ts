/**
 * `outlet server` as a process: events go to the log, and an operator at the terminal is listened to.
 *
 * @module
 */
import type { LineEditor } from "../terminal/line_editor.ts";
import type { ServerCommand } from "../cli/server_args.ts";
import type { ServerConfig } from "../config/server_config.ts";
import { EventBus } from "../events/event_bus.ts";
import { LineWriter } from "../terminal/line_writer.ts";
import { serve } from "./serve.ts";
import type { Standard } from "../services/service.ts";
import { configChanges, loadConfig } from "./config_changes.ts";
import { ConsoleHost } from "./console_host.ts";
import { trimHeap } from "./heap_trim.ts";
import { Observers } from "./observers.ts";
import { StatusLine } from "../terminal/status_line.ts";
import { isAtTerminal, stdinChunks, writeStdout } from "../terminal/stdio.ts";

/** What the system and the terminal ask of a running server. */
export interface ServerSignals {
  /** Aborted when the server is to stop. */
  readonly signal: AbortSignal;
  /** A `hangup` event asks for another look at the config's file. */
  readonly hangups: EventTarget;
  /** Does what Ctrl-C does. */
  interrupt(): void;
}

/**
 * Serves until the signal is aborted and the connections have drained.
 *
 * @returns how many connections had to be cut, or did not end well where only one was served
 */
export async function runServerMode(
  command: ServerCommand,
  { signal, hangups, interrupt }: ServerSignals,
): Promise<number> {
  const config = await loadConfig(command);
  // Whose clients are joined to the standard streams has no operator there.
  const lends = config.outlets.some(({ service }) => service === "stdio");
  using editor = isAtTerminal() && !lends ? await openEditor(interrupt) : undefined;
  const stderr = new LineWriter(Deno.stderr);
  const stdout = new LineWriter(Deno.stdout);
  using status = lends && Deno.stderr.isTerminal() ? new StatusLine() : undefined;
  let broken = 0;
  const standard: Standard = {
    input: stdinChunks(),
    write: writeStdout,
    status: status && ((line) => status.show(line)),
    end(well) {
      if (!well) broken++;
      if (!signal.aborted) interrupt();
    },
  };
  const write = status
    ? (line: string) => status.above(line)
    : editor && Deno.stderr.isTerminal()
    ? (line: string) => editor.show(line + "\n")
    : (line: string) => stderr.write(line);
  const eventBus = new EventBus();
  try {
    using stack = new DisposableStack();
    await using observers = await Observers.open(config.options, { eventBus, write });
    await using consoleHost = await ConsoleHost.open(config.options, {
      eventBus,
      byDefault: "namesOutlets" in command && !command.namesOutlets,
      tell: editor || lends ? write : (line) => stdout.write(line),
    });
    const changes = configChanges(command, { signal, hangups, eventBus });
    const cut = await serve(config, {
      signal,
      eventBus,
      standard,
      changes: serveObserved(changes, [observers, consoleHost]),
      async onOpen(server) {
        observers.watch(server);
        const { ladders } = observers;
        consoleHost.watch(server, ladders);
        stack.use(trimHeap(server));
        if (Deno.stdin.isTerminal() && !lends) {
          const { listenToOperator } = await import("./operator.ts");
          listenToOperator(server, { editor, write, interrupt, ladders });
        }
        await observers.logging;
      },
    });
    return cut + broken;
  } finally {
    await stdout.flush();
    await stderr.flush();
  }
}

/** What an operator types in. It brings much of Node's along, which a server in the background has no use for. */
async function openEditor(onInterrupt: () => void): Promise<LineEditor> {
  const { LineEditor } = await import("../terminal/line_editor.ts");
  return new LineEditor({ onInterrupt });
}

/** Whoever observes goes along with every change, before the server does. */
async function* serveObserved(
  changes: AsyncIterable<ServerConfig>,
  observers: readonly Pick<Observers, "change">[],
): AsyncGenerator<ServerConfig> {
  for await (const config of changes) {
    let goesOn = true;
    for (const observer of observers) goesOn &&= await observer.change(config.options);
    if (goesOn) yield config;
  }
}
