/**
 * `outlet client` as a process: joined to stdin and stdout, or to the person at the terminal.
 *
 * @module
 */
import { LineEditor } from "../cli/line_editor.ts";
import { type ClientEnds, plugIn } from "../client.ts";
import type { ClientConfig } from "../config/client_config.ts";
import { printable, printableLines } from "../observe/printable.ts";
import { isAtTerminal, stdinChunks, writeStdout } from "./stdio.ts";

const encoder = new TextEncoder();

/**
 * Connects, and carries bytes both ways until the conversation is over.
 *
 * @throws {Error} which says what was tried, what happened, and what that means
 */
export async function runClient(
  config: ClientConfig,
  { interrupt }: { interrupt(): void },
): Promise<void> {
  const { options } = config;
  const talks = isAtTerminal() && !options["recv-only"] && !options.probe;
  using editor = talks ? new LineEditor({ onInterrupt: interrupt }) : undefined;
  await plugIn(config, {
    input: editor ? typedBytes(editor) : stdinChunks(),
    show: showOn(editor, options.raw),
    tell: (line) => editor ? editor.show(told(line)) : console.error(told(line).trimEnd()),
  });
}

/** How what arrives is shown: to a person safely, to a file or a pipe as it is. */
function showOn(editor: LineEditor | undefined, raw: boolean): ClientEnds["show"] {
  if (!Deno.stdout.isTerminal() || (raw && !editor)) {
    return (bytes) => writeStdout(bytes);
  }
  const decoder = new TextDecoder();
  return async (bytes) => {
    const text = decoder.decode(bytes, { stream: true });
    const shown = raw ? text : printableLines(text);
    if (editor) editor.show(shown);
    else await writeStdout(encoder.encode(shown));
  };
}

async function* typedBytes(editor: LineEditor): AsyncGenerator<Uint8Array> {
  for await (const { text } of editor.lines()) yield encoder.encode(text + "\n");
}

function told(line: string): string {
  return `outlet: ${printable(line)}\n`;
}
