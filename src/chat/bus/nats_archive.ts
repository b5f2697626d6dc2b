/**
 * The archive of rooms in a JetStream stream.
 *
 * @module
 */
import { DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Archive, Topic } from "./bus.ts";
import { HISTORY_LIMIT } from "../history.ts";
import { publishTo } from "./nats_publish.ts";
import { subjectOf } from "./nats_subject.ts";

/** The name of the stream, which all rooms and servers share. */
const STREAM = "OUTLET_HISTORY";

/** The replicas of the stream in a cluster. */
const REPLICAS = 3;

/** The timeout of a recall, in milliseconds. */
const RECALL_TIMEOUT = 5_000;

/** An archive in JetStream. */
export class NatsArchive implements Archive {
  readonly #connection: NatsConnection;

  private constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /**
   * Creates the stream if it does not exist.
   *
   * @throws {Error} if the stream cannot be created
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
      // The cluster may have too few servers.
      await streams.add({ ...stream, num_replicas: replicas })
        .catch(() => streams.add({ ...stream, num_replicas: 1 }))
        .catch(async (error) => {
          // Another server may have created it at the same moment.
          if (!await isThere()) throw error;
        });
    }
    return new NatsArchive(connection);
  }

  /** Publishes a message to the stream; whether the connection took it. */
  add(topic: Topic, message: Uint8Array): boolean {
    return publishTo(this.#connection, { subject: subjectOf(archived(topic)), message });
  }

  /** Fetches the stored messages of a topic. */
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
