/**
 * What NATS remembers for rooms: a JetStream stream with the last lines of each.
 *
 * @module
 */
import { DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Archive, Topic } from "./bus.ts";
import { HISTORY_LIMIT } from "../history.ts";
import { publishTo } from "./nats_publish.ts";
import { subjectOf } from "./nats_subject.ts";

/** The stream of all rooms of all servers on the bus. */
const STREAM = "OUTLET_HISTORY";

/** How many servers of a cluster keep it. */
const REPLICAS = 3;

/** How long all of it may take to come, in milliseconds. */
const RECALL_TIMEOUT = 5_000;

/** Lines of rooms, kept by JetStream. */
export class NatsArchive implements Archive {
  readonly #connection: NatsConnection;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /**
   * Makes the stream, if it is not there yet.
   *
   * @throws {Error} where the server has JetStream, but not for us
   */
  static async open(connection: NatsConnection): Promise<NatsArchive> {
    const { streams } = await jetstreamManager(connection);
    const stream = {
      name: STREAM,
      subjects: ["outlet.history.>"],
      max_msgs_per_subject: HISTORY_LIMIT,
    };
    const isThere = () => streams.info(STREAM).then(() => true, () => false);
    if (!await isThere()) {
      const replicas = connection.info?.cluster === undefined ? 1 : REPLICAS;
      // A cluster may be too small, or a member of it away.
      await streams.add({ ...stream, num_replicas: replicas })
        .catch(() => streams.add({ ...stream, num_replicas: 1 }))
        .catch(async (error) => {
          // Somebody else may have made it at the same moment.
          if (!await isThere()) throw error;
        });
    }
    return new NatsArchive(connection);
  }

  /** Keeps a message, where the server takes it. */
  add(topic: Topic, message: Uint8Array): boolean {
    return publishTo(this.#connection, { subject: subjectOf(archived(topic)), message });
  }

  /** The last messages of a topic. */
  async recall(topic: Topic): Promise<Uint8Array[]> {
    const consumer = await jetstream(this.#connection).consumers.get(STREAM, {
      filter_subjects: subjectOf(archived(topic)),
      deliver_policy: DeliverPolicy.All,
    });
    const { num_pending: count } = await consumer.info();
    const messages: Uint8Array[] = [];
    if (count > 0) {
      const fetched = await consumer.fetch({ max_messages: count, expires: RECALL_TIMEOUT });
      for await (const { data } of fetched) messages.push(data);
    }
    await consumer.delete();
    return messages;
  }
}

function archived(topic: Topic): Topic {
  return ["history", ...topic];
}
