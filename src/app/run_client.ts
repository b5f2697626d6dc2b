/**
 * `outlet client` as a process: joined to stdin and stdout, or to the person at the terminal.
 *
 * @module
 */
import { fstatSync } from "node:fs";
import { LineEditor } from "../terminal/line_editor.ts";
import { type ClientIo, runClient } from "../client.ts";
import type { ClientConfig, ClientOptions } from "../config/client_config.ts";
import { renderLadder } from "../trace/report/ladder_text.ts";
import { printable, printableLines } from "../terminal/printable.ts";
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
 * Does what the config asks for, to its end.
 *
 * @throws {Error} which says what was tried, what happened, and what that means
 */
export async function runClientMode(
  config: ClientConfig,
  { interrupt, stopOnSignals }: { interrupt(): void; stopOnSignals(): AbortSignal },
): Promise<void> {
  const { options } = config;
  const measures = options.probe || options.bench;
  const isAtTerminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  const talks = isAtTerminal && !options["recv-only"] && !measures && !options.script;
  await using _end = { [Symbol.asyncDispose]: flushStdio };
  using editor = talks
    ? new LineEditor({ output: stdout, isStuck: isTerminalStuck, onInterrupt: interrupt })
    : undefined;
  using status = Deno.stderr.isTerminal() && !editor ? new StatusLine(stderr) : undefined;
  const write = stderrLines(editor, status);
  const tell = (line: string) => write(printable(`outlet: ${line}`));
  if (options.tls) await refuseKeyLog(tell);
  await runClient(config, {
    input: editor ? typedBytes(editor) : stdinChunks(),
    inputSize: options.progress ? sizeOfStdin() : undefined,
    show: showOn(editor, options),
    print: (text) => writeStdout(encoder.encode(printableLines(text))),
    tell,
    report: (line) => write(printable(line)),
    draw(ladder) {
      const text = renderLadder(ladder, { color: Deno.stderr.isTerminal() && !Deno.noColor });
      write(text.trimEnd());
    },
    status: status && ((line) => status.show(line)),
    signal: measures ? stopOnSignals() : undefined,
  });
}

/** How what arrives is shown: to a person safely, to a file or a pipe as it is. */
function showOn(
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

/** Writes lines that are safe to show to stderr, above whatever else is shown there. */
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

/** How long the file on stdin is; `undefined` where it is none. */
function sizeOfStdin(): number | undefined {
  const stat = fstatSync(0);
  return stat.isFile() ? stat.size : undefined;
}

async function* typedBytes(editor: LineEditor): AsyncGenerator<Uint8Array> {
  for await (const { text } of editor.lines()) yield encoder.encode(text + "\n");
}
