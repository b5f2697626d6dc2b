/**
 * How messages are handed to a NATS connection.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/transport-node";

/** The most bytes that a message may have where the server has not said so: what NATS takes by default. */
const DEFAULT_LIMIT = 1024 * 1024;

/**
 * The most bytes that the server takes in a message now; it may change its mind while the connection lives.
 *
 * @internal
 */
export function messageLimitOf(connection: NatsConnection | undefined): number {
  return connection?.info?.max_payload ?? DEFAULT_LIMIT;
}

/**
 * Hands a message to a connection; whether it was taken. The library throws where the message is longer than the
 * server takes, or the connection is closed or drains.
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
