/**
 * Stages: what a stream goes through between its socket and its conversation, such as TLS, a PROXY header, or a capture.
 * A stage that is not asked for is not in the path.
 *
 * @module
 */
import { type Address, addressOf, peerOf } from "../endpoint/address.ts";
import type { ByteStream } from "./stream.ts";

/** What a stage knows of a conversation, and what it may change of that. */
export interface StageContext {
  /** Its number. */
  readonly id: number;
  /** The other end, which a header may announce. */
  peer: Address;
  /** Our end, likewise. */
  local: Address;
  /** Gives up when aborted. */
  readonly signal: AbortSignal;
  /** Notes something of the conversation, which is told with it; `undefined` notes nothing. */
  note(name: string, value: string | number | undefined): void;
}

/**
 * Takes a stream over and returns the one to go on with, which closes the first when it is closed. Where it rejects, the
 * first is the caller's to close; it may be closed already.
 *
 * @throws {PeerRefused} where the other end is at fault
 */
export type Stage = (
  stream: ByteStream,
  context: StageContext,
) => ByteStream | Promise<ByteStream>;

/** The other end did not do its part, and is turned away. The message is the reason. */
export class PeerRefused extends Error {
  /** Tells it from faults of our own. */
  override readonly name: string = "PeerRefused";
}

/** The context of a stream that nobody notes anything of. */
export function contextOf(stream: ByteStream, signal: AbortSignal): StageContext {
  return { id: 0, peer: peerOf(stream), local: addressOf(stream.localAddr), signal, note() {} };
}

/** One stage after the other; `undefined` where there is none. */
export function sequence(stages: readonly Stage[]): Stage | undefined {
  if (stages.length < 2) return stages[0];
  return async (stream, context) => {
    let outer = stream;
    for (const stage of stages) outer = await stage(outer, context);
    return outer;
  };
}
