/**
 * Ports for programs that can't take a free one by themselves.
 *
 * @module
 */
import { delay } from "@std/async/delay";

/** A port that is free now, out of the range that the kernel gives to clients. */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    try {
      using _ = Deno.listen({ hostname: "127.0.0.1", port });
      return port;
    } catch {
      // Somebody has it.
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
