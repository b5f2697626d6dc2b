/**
 * Relays a client to its upstream.
 *
 * @module
 */
import type { Connection } from "../connection/connection.ts";
import { relay, type RelayFilters } from "../connection/relay.ts";
import { TaskScope } from "../scheduling/task_scope.ts";

const tasks = new TaskScope("resetting an upstream whose client has disconnected", {
  consequence: "it is closed at the next write",
});

/**
 * Relays until both have ended. The write deadline applies to the upstream, too. If the client is
 * disconnected, the upstream is reset.
 */
export async function relayUpstream(
  client: Connection,
  upstream: Connection,
  filters?: RelayFilters,
): Promise<void> {
  client.sink = { name: "upstream", flow: upstream };
  const resetUpstream = tasks.guard(() => upstream.reset(client.reason!));
  client.closed.addEventListener("abort", resetUpstream);
  await relay(client, upstream, filters);
}
