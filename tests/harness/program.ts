/**
 * Programs run beside a test: what they print is waited for, and none outlives its test.
 *
 * @module
 */

/** The repository's root. */
export const ROOT: string = new URL("../../", import.meta.url).pathname;

/** The compiled program under test, where there is one; else outlet runs from its source. */
const BINARY = Deno.env.get("OUTLET_BINARY");

/** Where programs run: a compiled one in its own folder, away from the source. */
const WORKPLACE = BINARY?.replace(/[^/]*$/, "") ?? ROOT;

/** How long a test waits for something that should happen at once, before it says what is missing. */
const PATIENCE = 20_000;

/** What the older Deno that programs are compiled with in CI says of modules of its own. */
const RUNTIME_WARNING = /^\(node:\d+\) \[DEP\d+\].*\n/gm;

/** What outlet, or Deno for it, says of an error that nobody caught: no test is well with that. */
const BUG = /unexpected error: |"event":"unexpected-error"|error.*: Uncaught/;

/** What a program is started with. */
export interface ProgramOptions {
  /** What it reads; left open where this is absent, until `program.end()`. */
  readonly stdin?: string | Uint8Array;
  /** Its working folder. */
  readonly cwd?: string;
  /** Added to its environment. */
  readonly env?: Record<string, string>;
}

/** What came of a program that has ended. */
export interface Outcome {
  /** Its exit code. */
  readonly code: number;
  /** All it printed, as text. */
  readonly stdout: string;
  /** All it complained of, as text. */
  readonly stderr: string;
  /** All it printed, as bytes. */
  readonly bytes: Uint8Array;
}

/** A program that runs beside the test. Disposing it kills it, if it still runs, and waits for its end. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stdout: Capture;
  readonly #stderr: Capture;

  constructor([command, ...args]: readonly [string, ...string[]], options: ProgramOptions = {}) {
    this.#child = new Deno.Command(command, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      cwd: options.cwd ?? WORKPLACE,
      env: { NO_COLOR: "1", ...options.env },
    }).spawn();
    this.#stdin = this.#child.stdin.getWriter();
    this.#stdout = new Capture(this.#child.stdout);
    this.#stderr = new Capture(this.#child.stderr);
    if (options.stdin !== undefined) {
      this.type(options.stdin).then(() => this.end()).catch(() => {});
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resolves to the match once stdout shows the pattern. */
  prints(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#stdout.shows(pattern);
  }

  /** Resolves to the match once stderr shows the pattern. */
  complains(pattern: RegExp): Promise<RegExpMatchArray> {
    return this.#stderr.shows(pattern);
  }

  /** Writes to its stdin. */
  async type(text: string | Uint8Array): Promise<void> {
    await this.#stdin.write(typeof text === "string" ? new TextEncoder().encode(text) : text);
  }

  /** Ends its stdin. */
  async end(): Promise<void> {
    await this.#stdin.close().catch(() => {});
  }

  /** Sends it a signal. */
  signal(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has ended; a program that does not end is killed, and the test fails. */
  async outcome(): Promise<Outcome> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 3 * PATIENCE);
    const { code } = await this.#child.status;
    clearTimeout(timer);
    const [bytes, errors] = await Promise.all([this.#stdout.all(), this.#stderr.all()]);
    const decoder = new TextDecoder();
    const stderr = decoder.decode(errors).replace(RUNTIME_WARNING, "");
    if (BUG.test(stderr)) throw new Error(`the program has a bug:\n${stderr}`);
    return { code, bytes, stdout: decoder.decode(bytes), stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
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

/** The words that run outlet. */
export function outlet(...words: string[]): [string, ...string[]] {
  return BINARY
    ? [BINARY, ...words]
    : [Deno.execPath(), "run", "-A", "--quiet", `${ROOT}main.ts`, ...words];
}

/** The words that run the bundle of `deno task bundle`, as CI does. */
export function bundledOutlet(...words: string[]): [string, ...string[]] {
  const flags = ["--no-config", "--no-lock", "--unstable-net", "--unstable-broadcast-channel"];
  return [
    ...[Deno.execPath(), "run", "-A", "--quiet", ...flags] as [string, ...string[]],
    `${ROOT}dist/bundle/main.js`,
    ...words,
  ];
}

/** Collects a stream, and wakes whoever waits for a pattern in it. */
class Capture {
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
    const timer = setTimeout(() => giveUp("waited in vain"), PATIENCE);
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
      // Patterns are looked for in what is short enough to be read; the rest is only kept.
      if (this.#text.length < 1_000_000) {
        this.#text += this.#decoder.decode(chunk, { stream: true });
      }
      for (const look of this.#waiting) look();
    }
  }
}
