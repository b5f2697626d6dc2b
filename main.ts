/**
 * outlet: a room full of sockets. The words on the command line become a command, the command is run,
 * signals end it, and what came of it becomes the exit code.
 *
 * Next to nothing is imported before signals are listened to: whoever sends one while the program is loaded is heard.
 *
 * @module
 */
import type { ServerSignals } from "./src/app/run_server.ts";
import { TaskScope } from "./src/scheduling/task_scope.ts";

const EXIT = { done: 0, failed: 1, usage: 2, signal: 128 } as const;

/** What ends a program, by signal(7)'s numbers. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

const tasks = new TaskScope("hearing a signal", { without: "the next one is heard" });

/** The signals that the process gets, from its first moment on. */
class Signals {
  /** What a signal does; until a mode says otherwise, it ends the process. SIGHUP waits to be told what it means. */
  #act = (signal: number): void => {
    if (signal === SIGNALS.SIGHUP) this.#isHungUp = true;
    else Deno.exit(EXIT.signal + signal);
  };
  #isHungUp = false;

  constructor() {
    for (const [name, number] of Object.entries(SIGNALS)) {
      Deno.addSignalListener(name as Deno.Signal, tasks.guard(() => this.#act(number)));
    }
  }

  /** Ends the process with each signal, as without listeners. */
  endAtOnce(): void {
    this.#become((signal) => Deno.exit(EXIT.signal + signal));
  }

  /** The first signal or call asks for a stop; the second one does not wait for it. */
  askForStop(): { signal: AbortSignal; ask(signal: number): void } {
    const stop = new AbortController();
    const ask = (signal: number) => {
      if (stop.signal.aborted) Deno.exit(EXIT.signal + signal);
      stop.abort();
    };
    this.#become(ask);
    return { signal: stop.signal, ask };
  }

  /**
   * SIGHUP asks a server for another look at its config. Where there is no file to look at, it means that the terminal
   * is gone, and asks for a stop; both the kernel and the shell send it then.
   */
  askServer({ reloads }: { reloads: boolean }): ServerSignals {
    const { signal, ask } = this.askForStop();
    let hangUps = 0;
    let look = () => {};
    this.#become((number) => {
      if (number !== SIGNALS.SIGHUP) return ask(number);
      hangUps++;
      if (reloads) look();
      else if (!signal.aborted) ask(number);
    });
    const onHangup = (then: () => void) => {
      look = then;
      if (hangUps > 0) look();
    };
    return { signal, onHangup, interrupt: () => ask(SIGNALS.SIGINT) };
  }

  #become(act: (signal: number) => void): void {
    this.#act = act;
    if (this.#isHungUp) act(SIGNALS.SIGHUP);
  }
}

async function main(args: readonly string[], signals: Signals): Promise<number> {
  const { readCommand } = await import("./src/cli/args.ts");
  const { terminalWidth } = await import("./src/terminal/width.ts");
  const command = await readCommand(args, { width: terminalWidth() });
  switch (command.mode) {
    case "help":
      return await print(command.text);
    case "version": {
      const { default: project } = await import("./deno.json", { with: { type: "json" } });
      return await print(`outlet ${project.version} (deno ${Deno.version.deno})\n`);
    }
    // A mode loads what it needs, and nothing of the others.
    case "server": {
      if (command.action !== "serve") {
        signals.endAtOnce();
        const { showConfig } = await import("./src/app/show_config.ts");
        return await print(await showConfig(command));
      }
      const { runServerMode } = await import("./src/app/run_server.ts");
      const isWell = await runServerMode(
        command,
        signals.askServer({ reloads: "file" in command }),
      );
      return isWell ? EXIT.done : EXIT.failed;
    }
    case "client": {
      signals.endAtOnce();
      const { runClientMode } = await import("./src/app/run_client.ts");
      await runClientMode(command.config, {
        interrupt: () => Deno.exit(EXIT.signal + SIGNALS.SIGINT),
        stopOnSignals: () => signals.askForStop().signal,
      });
      return EXIT.done;
    }
    case "trace": {
      const { runTraceMode } = await import("./src/app/run_trace.ts");
      await runTraceMode(command.config, signals.askForStop());
      return EXIT.done;
    }
  }
}

async function print(text: string): Promise<number> {
  const { writeStdout } = await import("./src/terminal/stdio.ts");
  await writeStdout(new TextEncoder().encode(text));
  return EXIT.done;
}

/** One line on stderr, and the code that tells whose fault it was. */
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
