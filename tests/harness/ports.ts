/**
 * Ports for programs that cannot choose a free one themselves.
 *
 * @module
 */
import { delay } from "@std/async/delay";

const FIRST = 10_000;
const LAST = 32_000;

/**
 * A directory with a file per reserved port, so that no two tests on this machine get the same one.
 */
const RESERVATIONS = `${Deno.env.get("TMPDIR") ?? "/tmp"}/outlet-test-ports`;

/** The age at which a reservation expires, in milliseconds: its test has ended. */
const STALE = 30 * 60_000;

/**
 * A free port of 127.0.0.1, reserved for this test. It is below the range of ephemeral ports
 * (`net.ipv4.ip_local_port_range`), so the kernel does not assign it to clients or to port 0.
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
      // It is in use; try another one.
    }
  }
}

function reserve(port: number): boolean {
  const path = `${RESERVATIONS}/${port}`;
  try {
    const { mtime } = Deno.statSync(path);
    if (Date.now() - Number(mtime) > STALE) Deno.removeSync(path);
  } catch {
    // It is not reserved, or the reservation has just been removed.
  }
  try {
    Deno.openSync(path, { write: true, createNew: true }).close();
    return true;
  } catch {
    return false;
  }
}

/** Resolves once a socket listens on the port. */
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

/**
 * Resolves once no socket listens on the port. A client that connects while it is closed is still
 * served, or reset.
 */
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
