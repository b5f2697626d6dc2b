/**
 * A Unix socket whose path another listener of the same process can take over while clients come.
 *
 * The runtime removes the path that a socket was bound at when it is closed, whoever has that path by then. So the socket
 * is bound beside the path and moved there, and what is removed in the end is looked at first.
 *
 * @module
 */
import type { Listener } from "../carrier.ts";
import { type ByteStream, streamOf, wrap } from "../stream.ts";

/** The most bytes of a path that a socket can be bound at (`sun_path`, unix(7)). */
const LONGEST = 107;

/** Listens at a path. */
export class MovableListener implements Listener {
  /** Where it listens. */
  readonly addr: Deno.UnixAddr;
  readonly #listener: Deno.UnixListener;
  readonly #boundAt: string;
  readonly #inode: number | null;
  #isWaiting: boolean;

  /**
   * Binds. With `takesOver` the path stays whose it is until the first client is accepted here, and is taken then.
   *
   * @throws {Error} the system's, also where something is at the path that is not to be taken over
   */
  constructor(path: string, { takesOver = false }: { takesOver?: boolean | undefined }) {
    this.addr = { transport: "unix", path };
    this.#boundAt = besides(path);
    this.#listener = Deno.listen({ transport: "unix", path: this.#boundAt });
    this.#inode = Deno.lstatSync(this.#boundAt).ino;
    this.#isWaiting = takesOver;
    if (takesOver) return;
    try {
      Deno.linkSync(this.#boundAt, path);
      Deno.removeSync(this.#boundAt);
    } catch (error) {
      this.#listener.close();
      throw error;
    }
  }

  /** The next client. */
  async accept(): Promise<ByteStream> {
    if (this.#isWaiting) {
      Deno.renameSync(this.#boundAt, this.addr.path);
      this.#isWaiting = false;
    }
    const stream = streamOf(await this.#listener.accept());
    return wrap(stream, { localAddr: this.addr });
  }

  /** Stops listening; the file goes, too, unless another socket has taken the path over. */
  close(): void {
    this.#listener.close();
    if (this.#isWaiting) return;
    try {
      if (Deno.lstatSync(this.addr.path).ino === this.#inode) Deno.removeSync(this.addr.path);
    } catch {
      // It is not there any more.
    }
  }
}

/** A path in the same folder that nobody has. */
function besides(path: string): string {
  const word = crypto.randomUUID().slice(0, 6);
  const longer = `${path}.${word}`;
  if (new TextEncoder().encode(longer).length <= LONGEST) return longer;
  return `${path.slice(0, path.lastIndexOf("/") + 1)}.${word}`;
}
