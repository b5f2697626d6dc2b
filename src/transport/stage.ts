/**
 * Stages: transformations of a stream between socket and connection, such as TLS, a PROXY header,
 * or a capture. Without a stage, nothing of it is in the path.
 *
 * @module
 */
import { type Address, addressOf, peerOf } from "../endpoint/address.ts";
import type { ByteStream } from "./stream.ts";

/** The properties of a connection that stages read and set. */
export interface StageContext {
  /** The connection's number. */
  readonly id: number;
  /** The other end's address. A PROXY header may set it. */
  peer: Address;
  /** The local address. A PROXY header may set it. */
  local: Address;
  /** Aborted when the stage has to give up. */
  readonly signal: AbortSignal;
  /** Adds a note to the connection's `closed` event; `undefined` adds none. */
  note(name: string, value: string | number | undefined): void;
}

/**
 * Takes over a stream and returns the next one, which closes the first when it is closed. If it
 * rejects, the caller closes the first; closing it twice is allowed.
 * @throws {PeerRefused} if the peer is at fault
 */
export type Stage = (
  stream: ByteStream,
  context: StageContext,
) => ByteStream | Promise<ByteStream>;

/** The peer violated a protocol or is not allowed. The message is the reason. */
export class PeerRefused extends Error {
  /** Distinguishes it from internal errors. */
  override readonly name: string = "PeerRefused";
}

/** A context for streams without a connection: it ignores notes. */
export function contextOf(stream: ByteStream, signal: AbortSignal): StageContext {
  return { id: 0, peer: peerOf(stream), local: addressOf(stream.localAddr), signal, note() {} };
}

/** Runs stages in order; `undefined` if there are none. */
export function sequence(stages: readonly Stage[]): Stage | undefined {
  if (stages.length < 2) return stages[0];
  return async (stream, context) => {
    let outer = stream;
    for (const stage of stages) outer = await stage(outer, context);
    return outer;
  };
}
