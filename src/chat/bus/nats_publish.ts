/**
 * Publishing on a NATS connection.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";

/** NATS' default `max_payload`, in bytes, used before the server has sent its own. */
const DEFAULT_LIMIT = 1024 * 1024;

/**
 * The server's `max_payload` in bytes, which may change during a connection.
 *
 * @internal
 */
export function messageLimitOf(connection: NatsConnection | undefined): number {
  return connection?.info?.max_payload ?? DEFAULT_LIMIT;
}

/**
 * Publishes a message; `false` if it is too long, or the connection is closed or draining.
 *
 * @internal
 */
export function publishTo(
  connection: NatsConnection,
  { subject, message }: { subject: string; message: Uint8Array },
): boolean {
  try {
    connection.publish(subject, message);
    return true;
  } catch {
    return false;
  }
}
