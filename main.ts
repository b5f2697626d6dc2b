/**
 * The executable: parses the arguments, runs the mode, and turns the outcome into an exit code.
 *
 * Signal listeners are installed before anything else is loaded, so that a signal during startup is not missed;
 * modules are therefore imported where they are needed.
 *
 * @module
 */
import type { ServerSignals } from "./src/app/run_server.ts";
import type { AddUserCommand, ServerCommand } from "./src/cli/server_args.ts";
import { TaskScope } from "./src/scheduling/task_scope.ts";

const EXIT = { done: 0, failed: 1, usage: 2, signal: 128 } as const;

/** The signals that are handled, with their numbers as in signal(7). */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGUSR2: 12, SIGTERM: 15 } as const;

const tasks = new TaskScope("handling a signal", {
  consequence: "later signals are still handled",
});

/** The process's signal handlers. */
class Signals {
  /** Called for each signal. Until a mode sets a handler, SIGHUP is kept for it and the others end the process. */
  #handler = (signal: number): void => {
    if (signal === SIGNALS.SIGHUP) this.#isHungUp = true;
    else Deno.exit(EXIT.signal + signal);
  };
  #isHungUp = false;

  constructor() {
    for (const [name, number] of Object.entries(SIGNALS)) {
      if (name === "SIGUSR2" && Deno.build.os === "windows") continue;
      Deno.addSignalListener(name as Deno.Signal, tasks.guard(() => this.#handler(number)));
    }
  }

  /** Ends the process on every signal, as if no listener were installed. */
  exitAtOnce(): void {
    this.#handle((signal) => Deno.exit(EXIT.signal + signal));
  }

  /** The first signal or call of `ask` aborts `signal`; the second exits at once. */
  stopGracefully(): { signal: AbortSignal; ask(signal: number): void } {
    const stop = new AbortController();
    const ask = (signal: number) => {
      if (stop.signal.aborted) Deno.exit(EXIT.signal + signal);
      stop.abort();
    };
    this.#handle(ask);
    return { signal: stop.signal, ask };
  }

  /**
   * SIGHUP reloads the server's config. Without a config file it means that the terminal was closed (see
   * signal(7)) and stops the server; as it may be sent more than once for that, repeats are ignored.
   * SIGUSR2 restarts the workers.
   */
  forServer({ reloads }: { reloads: boolean }): ServerSignals {
    const { signal, ask } = this.stopGracefully();
    let hangUps = 0;
    let reload = () => {};
    let restart = () => {};
    this.#handle((number) => {
      if (number === SIGNALS.SIGUSR2) return restart();
      if (number !== SIGNALS.SIGHUP) return ask(number);
      hangUps++;
      if (reloads) reload();
      else if (!signal.aborted) ask(number);
    });
    const onHangup = (callback: () => void) => {
      reload = callback;
      if (hangUps > 0) reload();
    };
    const onRestart = (callback: () => void) => restart = callback;
    return { signal, onHangup, onRestart, interrupt: () => ask(SIGNALS.SIGINT) };
  }

  #handle(handler: (signal: number) => void): void {
    this.#handler = handler;
    if (this.#isHungUp) handler(SIGNALS.SIGHUP);
  }
}

async function main(args: readonly string[], signals: Signals): Promise<number> {
  const { parseCommand: readCommand } = await import("./src/cli/args.ts");
  const { terminalWidth } = await import("./src/terminal/width.ts");
  const command = await readCommand(args, { width: terminalWidth() });
  switch (command.mode) {
    case "help":
      return await print(command.text);
    case "version": {
      const { default: project } = await import("./deno.json", { with: { type: "json" } });
      return await print(`outlet ${project.version} (deno ${Deno.version.deno})\n`);
    }
    case "server":
      return await runServer(command, signals);
    case "client": {
      signals.exitAtOnce();
      const { runClientMode } = await import("./src/app/run_client.ts");
      await runClientMode(command.config, {
        interrupt: () => Deno.exit(EXIT.signal + SIGNALS.SIGINT),
        stopOnSignals: () => signals.stopGracefully().signal,
      });
      return EXIT.done;
    }
    case "trace": {
      const { runTraceMode } = await import("./src/app/run_trace.ts");
      await runTraceMode(command.config, signals.stopGracefully());
      return EXIT.done;
    }
  }
}

async function runServer(
  command: ServerCommand | AddUserCommand,
  signals: Signals,
): Promise<number> {
  if (command.action === "add-user") {
    signals.exitAtOnce();
    const { addUser } = await import("./src/app/add_user.ts");
    return await print(await addUser(command));
  }
  if (command.action !== "serve") {
    signals.exitAtOnce();
    const { showConfig } = await import("./src/app/show_config.ts");
    return await print(await showConfig(command));
  }
  const { runServerMode } = await import("./src/app/run_server.ts");
  const isOk = await runServerMode(command, signals.forServer({ reloads: "file" in command }));
  return isOk ? EXIT.done : EXIT.failed;
}

async function print(text: string): Promise<number> {
  const { writeStdout } = await import("./src/terminal/stdio.ts");
  await writeStdout(new TextEncoder().encode(text));
  return EXIT.done;
}

/** Writes the error to stderr as one line, and returns the exit code. */
async function fail(error: unknown): Promise<number> {
  const { ReaderGone, flushStdio, stderr } = await import("./src/terminal/stdio.ts");
  const { UsageError } = await import("./src/options/usage_error.ts");
  const { printable } = await import("./src/terminal/printable.ts");
  if (error instanceof ReaderGone) return EXIT.done;
  const message = error instanceof Error ? error.message : String(error);
  stderr.writeLine(`outlet: ${printable(message)}`);
  await flushStdio();
  return error instanceof UsageError ? EXIT.usage : EXIT.failed;
}

if (import.meta.main) Deno.exit(await main(Deno.args, new Signals()).catch(fail));
