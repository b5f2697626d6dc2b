/**
 * Checks a change on this machine before it is prepared.
 *
 * @module
 */
import type { OutletConfig, ServerConfig } from "../config/server_config.ts";

/** Runs the preflight, which is loaded on demand, because that of the start has run before. */
export async function inspectHere(asked: ServerConfig | OutletConfig): Promise<void> {
  const { preflight, preflightOutlet } = await import("./preflight.ts");
  if ("outlets" in asked) await preflight(asked);
  else await preflightOutlet(asked);
}
