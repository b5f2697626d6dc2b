/**
 * `outlet client` as a process, on stdin and stdout or with a line editor on the terminal.
 *
 * @module
 */
import { fstatSync } from "node:fs";
import { LineEditor } from "../terminal/line_editor.ts";
import { runClient } from "../client.ts";
import type { ClientIo } from "../client/client_io.ts";
import type { ClientConfig, ClientOptions } from "../config/client_config.ts";
import { renderLadder } from "../trace/report/ladder_text.ts";
import { printable, printableLines } from "../terminal/printable.ts";
import { askClientSecrets } from "./secrets.ts";
import { refuseKeyLog } from "./key_log.ts";
import { StatusLine } from "../terminal/status_line.ts";
import {
  flushStdio,
  isTerminalStuck,
  stderr,
  stdinChunks,
  stdout,
  writeStdout,
} from "../terminal/stdio.ts";

const encoder = new TextEncoder();

/**
 * Runs the client until it is done.
 *
 * @returns the exit code
 * @throws {Error} whose message says what was tried, what failed, and what that means
 */
export async function runClientMode(
  asked: ClientConfig,
  { interrupt, stopOnSignals }: { interrupt(): void; stopOnSignals(): AbortSignal },
): Promise<number> {
  // Before the line editor, which reads the same terminal.
  const config = withForm(await askClientSecrets(asked));
  const { options } = config;
  const stopsGracefully = options.probe || options.bench || options.command.length > 0;
  const isInteractive = isTyped(options);
  await using _end = { [Symbol.asyncDispose]: flushStdio };
  using editor = isInteractive
    ? new LineEditor({ output: stdout, isStuck: isTerminalStuck, onInterrupt: interrupt })
    : undefined;
  using status = Deno.stderr.isTerminal() && !editor ? new StatusLine(stderr) : undefined;
  const write = stderrLines(editor, status);
  const log = (line: string) => write(printable(`outlet: ${line}`));
  if (options.tls) await refuseKeyLog(log);
  return await runClient(config, {
    input: editor ? typedBytes(editor) : stdinChunks(),
    inputSize: options.progress ? sizeOfStdin() : undefined,
    show: writerFor(editor, options),
    async closeOutput() {
      const { closeStdout } = await import("./close_stdout.ts");
      await closeStdout();
    },
    print: (text) => writeStdout(encoder.encode(printableLines(text))),
    log,
    report: (line) => write(printable(line)),
    draw(ladder) {
      const text = renderLadder(ladder, { color: Deno.stderr.isTerminal() && !Deno.noColor });
      write(text.trimEnd());
    },
    status: status && ((line) => status.show(line)),
    signal: stopsGracefully ? stopOnSignals() : undefined,
  });
}

/** Whether what is typed at the terminal is sent. */
function isTyped(options: ClientOptions): boolean {
  const readsStdin = !options["recv-only"] && !options.probe && !options.bench &&
    !options.script && options.command.length === 0;
  return readsStdin && Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

/** At a terminal, a WebSocket sends a text message for each line. */
function withForm({ options, ...config }: ClientConfig): ClientConfig {
  const text = options.text || (options.ws !== undefined && !options.binary && isTyped(options));
  return { ...config, options: { ...options, text } };
}

/** Writes received bytes: escaped to a terminal, unchanged to a file or a pipe. */
function writerFor(
  editor: LineEditor | undefined,
  { raw, "hex-dump": dump }: ClientOptions,
): ClientIo["show"] {
  if (dump === "-") return () => Promise.resolve();
  if (!Deno.stdout.isTerminal() || (raw && !editor)) {
    return (bytes) => writeStdout(bytes);
  }
  const decoder = new TextDecoder();
  return async (bytes) => {
    const text = decoder.decode(bytes, { stream: true });
    const shown = raw ? text : printableLines(text);
    if (editor) await editor.showAll(shown);
    else await writeStdout(encoder.encode(shown));
  };
}

/** Writes lines to stderr, above the line being typed or the status line. The lines must be printable. */
function stderrLines(
  editor: LineEditor | undefined,
  status: StatusLine | undefined,
): (line: string) => void {
  return (line) => {
    if (editor) editor.show(line + "\n");
    else if (status) status.above(line);
    else stderr.writeLine(line);
  };
}

/** The size of the file on stdin; `undefined` if it is not a file. */
function sizeOfStdin(): number | undefined {
  const stat = fstatSync(0);
  return stat.isFile() ? stat.size : undefined;
}

async function* typedBytes(editor: LineEditor): AsyncGenerator<Uint8Array> {
  for await (const { text } of editor.lines()) yield encoder.encode(text + "\n");
}
