/**
 * Ports for programs that can't take a free one by themselves.
 *
 * @module
 */
import { delay } from "@std/async/delay";

const FIRST = 10_000;
const LAST = 32_000;

/**
 * A port of 127.0.0.1 that nobody listens on, and that the kernel gives to nobody: it lies below those that clients
 * and port 0 are given (`net.ipv4.ip_local_port_range`), so that no test beside this one gets it by chance.
 */
export function freePort(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch {
      // Somebody listens there; another one will be free.
    }
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
