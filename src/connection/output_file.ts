/**
 * A file that connections write to one after the other.
 *
 * @module
 */
import { TaskScope } from "../scheduling/task_scope.ts";
import { explain } from "../transport/errors.ts";
import { writeAll } from "../transport/write_all.ts";

const tasks = new TaskScope("closing an output file", { consequence: "it stays open" });

/**
 * An output file. It is open while connections use it. Unless it appends, its first opening
 * truncates it.
 */
export class OutputFile {
  readonly #path: string;
  #append: boolean;
  #file: Deno.FsFile | undefined;
  #users = 0;
  #turn: Promise<unknown> = Promise.resolve();

  /** Does not open the file yet. */
  constructor(path: string, { append }: { append: boolean }) {
    this.#path = path;
    this.#append = append;
  }

  /**
   * Opens it for one more user, until the result is disposed.
   *
   * @throws {Error} `cannot write to all.log: …`
   */
  async open(): Promise<Disposable> {
    this.#users++;
    let isOpen = true;
    const leave = () => {
      if (isOpen) this.#users--;
      isOpen = false;
      tasks.run(this.#serialize(() => this.#closeUnused()));
    };
    try {
      await this.#serialize(() => this.#opened());
    } catch (error) {
      leave();
      throw error;
    }
    return { [Symbol.dispose]: leave };
  }

  /**
   * Writes all bytes after those of earlier writes. They must not change until it resolves.
   *
   * @throws {Error} `cannot write to all.log: …`
   */
  write(bytes: Uint8Array): Promise<void> {
    return this.#serialize(async () => writeAll(await this.#opened(), bytes));
  }

  async #opened(): Promise<Deno.FsFile> {
    if (this.#file) return this.#file;
    const truncate = !this.#append;
    const file = await Deno.open(this.#path, { append: true, create: true });
    this.#append = true;
    this.#file = file;
    if (truncate && (await file.stat()).isFile) await file.truncate();
    return file;
  }

  #closeUnused(): Promise<void> {
    if (this.#users === 0) {
      this.#file?.close();
      this.#file = undefined;
    }
    return Promise.resolve();
  }

  #serialize<T>(job: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(job).catch((error) => {
      throw new Error(`cannot write to ${this.#path}: ${explain(error)}`, { cause: error });
    });
    this.#turn = done.catch(() => {});
    return done;
  }
}
