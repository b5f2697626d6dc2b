/**
 * Ports for programs that can't take a free one by themselves.
 *
 * @module
 */
import { delay } from "@std/async/delay";

const FIRST = 10_000;
const LAST = 32_000;

/** Where ports are reserved: a file each, so that no two tests on this machine are given the same one. */
const RESERVATIONS = `${Deno.env.get("TMPDIR") ?? "/tmp"}/outlet-test-ports`;

/** After how long a reservation counts for nothing, in milliseconds: its test is over. */
const STALE = 30 * 60_000;

/**
 * A port of 127.0.0.1 that nobody listens on, that the kernel gives to nobody, and that no other test is given: it
 * lies below those that clients and port 0 get (`net.ipv4.ip_local_port_range`), and is reserved.
 */
export function freePort(): number {
  Deno.mkdirSync(RESERVATIONS, { recursive: true });
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (!reserve(port)) continue;
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch {
      // Somebody listens there; another one will be free.
    }
  }
}

function reserve(port: number): boolean {
  const path = `${RESERVATIONS}/${port}`;
  try {
    const { mtime } = Deno.statSync(path);
    if (Date.now() - Number(mtime) > STALE) Deno.removeSync(path);
  } catch {
    // Nobody has reserved it, or somebody has just removed it.
  }
  try {
    Deno.openSync(path, { write: true, createNew: true }).close();
    return true;
  } catch {
    return false;
  }
}

/** Resolves once something listens at the port. */
export async function isOpen(port: number): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await delay(10);
    }
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Resolves once nothing listens at the port any more: who comes in the moment of closing is served still, or reset. */
export async function isClosed(port: number): Promise<void> {
  for (let tries = 0; tries < 1_000; tries++) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
    }
    await delay(10);
  }
  throw new Error(`something still listens on port ${port}`);
}
