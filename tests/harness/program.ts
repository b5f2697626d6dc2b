/**
 * Programs that tests run. They end with their test at the latest.
 *
 * @module
 */

/** The repository's root. */
export const ROOT: string = new URL("../../", import.meta.url).pathname;

/** The compiled program under test, if there is one; otherwise outlet runs from source. */
const BINARY = Deno.env.get("OUTLET_BINARY");

/** The working directory of programs: for a compiled one its own directory, away from the source. */
const WORKING_DIRECTORY = BINARY?.replace(/[^/]*$/, "") ?? ROOT;

/** Time limit for expected output, in milliseconds. */
const TIME_LIMIT = 20_000;

/** Warnings of the older Deno that programs are compiled with in CI about its own modules. */
const RUNTIME_WARNING = /^\(node:\d+\) \[DEP\d+\].*\n/gm;

/** Uncaught errors in the output of outlet or Deno, which no test allows. */
const UNCAUGHT_ERROR = /unexpected error: |"event":"unexpected-error"|error.*: Uncaught/;

/** How a program is started. */
export interface ProgramOptions {
  /** Its stdin; if absent, stdin stays open until `program.end()`. */
  readonly stdin?: string | Uint8Array;
  /** Its working directory. */
  readonly cwd?: string;
  /** Added to its environment. */
  readonly env?: Record<string, string>;
}

/** The result of a program that has ended. */
export interface Outcome {
  /** Its exit code. */
  readonly code: number;
  /** Its stdout as text. */
  readonly stdout: string;
  /** Its stderr as text. */
  readonly stderr: string;
  /** Its stdout as bytes. */
  readonly bytes: Uint8Array;
}

/** A program that runs during a test. When it is disposed, it is killed if it still runs. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: OutputReader;
  readonly #stderr: OutputReader;

  constructor([command, ...args]: readonly [string, ...string[]], options: ProgramOptions = {}) {
    this.#child = new Deno.Command(command, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      cwd: options.cwd ?? WORKING_DIRECTORY,
      env: { NO_COLOR: "1", ...options.env },
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#stdout = new OutputReader(this.#child.stdout);
    this.#stderr = new OutputReader(this.#child.stderr);
    if (options.stdin !== undefined) {
      this.type(options.stdin).then(() => this.end()).catch(() => {});
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves to the match once its stdout matches the pattern. */
  prints(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#stdout.shows(pattern);
  }

  /** Resolves to its whole stdout once that is closed. */
  async printed(): Promise<string> {
    return new TextDecoder().decode(await this.#stdout.all());
  }

  /** Resolves to the match once its stderr matches the pattern. */
  logs(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#stderr.shows(pattern);
  }

  /** Writes to its stdin. */
  async type(text: string | Uint8Array): Promise<void> {
    await this.#stdin.write(typeof text === "string" ? new TextEncoder().encode(text) : text);
  }

  /** Closes its stdin. */
  async end(): Promise<void> {
    await this.#stdin.close().catch(() => {});
  }

  /** Sends it a signal. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has ended; after the time limit it is killed, and the test fails. */
  async outcome(): Promise<Outcome> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 3 * TIME_LIMIT);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    const [bytes, errors] = await Promise.all([this.#stdout.all(), this.#stderr.all()]);
    const decoder = new TextDecoder();
    const stderr = decoder.decode(errors).replace(RUNTIME_WARNING, "");
    if (UNCAUGHT_ERROR.test(stderr)) throw new Error(`the program has a bug:\n${stderr}`);
    return { code, bytes, stdout: decoder.decode(bytes), stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.end();
    await this.outcome();
  }
}

/** Runs a program to its end. */
export async function run(
  command: readonly [string, ...string[]],
  options: ProgramOptions = {},
): Promise<Outcome> {
  await using program = new Program(command, { stdin: "", ...options });
  return await program.outcome();
}

/** The command line of outlet. */
export function outlet(...args: string[]): [string, ...string[]] {
  return BINARY
    ? [BINARY, ...args]
    : [Deno.execPath(), "run", "-A", "--quiet", `${ROOT}main.ts`, ...args];
}

/** The command line of the bundle of `deno task bundle`, as in CI. */
export function bundledOutlet(...args: string[]): [string, ...string[]] {
  const flags = ["--no-config", "--no-lock", "--unstable-net", "--unstable-broadcast-channel"];
  return [
    ...[Deno.execPath(), "run", "-A", "--quiet", ...flags] as [string, ...string[]],
    `${ROOT}dist/bundle/main.js`,
    ...args,
  ];
}

/** Collects a stream, and resolves promises for patterns in it. */
class OutputReader {
  #chunks: Uint8Array[] = [];
  #text = "";
  readonly #decoder = new TextDecoder();
  readonly #waiting = new Set<() => void>();
  readonly #done: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#done = this.#collect(stream);
  }

  async shows(pattern: RegExp): Promise<RegExpMatchArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpMatchArray>();
    const look = () => {
      const match = this.#text.match(pattern);
      if (match) resolve(match);
    };
    const giveUp = (why: string) =>
      reject(new Error(`${why} without ${pattern}; so far:\n${this.#text}`));
    const timer = setTimeout(() => giveUp("waited in vain"), TIME_LIMIT);
    this.#waiting.add(look);
    this.#done.then(() => {
      look();
      giveUp("the stream ended");
    });
    look();
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  async all(): Promise<Uint8Array> {
    await this.#done;
    return new Uint8Array(await new Blob(this.#chunks as BlobPart[]).arrayBuffer());
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const chunk of stream) {
      this.#chunks.push(chunk);
      // Patterns are only searched for in output up to this size; more is only collected.
      if (this.#text.length < 1_000_000) {
        this.#text += this.#decoder.decode(chunk, { stream: true });
      }
      for (const look of this.#waiting) look();
    }
  }
}
