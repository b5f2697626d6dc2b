// @ts-check
/** The last bytes of a conversation in both directions, from the event stream. */
import { useEffect, useRef } from "./preact.js";
import { bytesOf } from "./byte_text.js";
import { useLive, useRefresh } from "./hooks.js";
import { live } from "./live.js";

/** The maximum number of bytes that are kept for each direction. */
const MAX_BYTES = 64 * 1024;

/** @typedef {{ direction: "in" | "out", at: number, offset: number, bytes: Uint8Array }} Piece */

export class Transcript {
  /** The oldest first. @type {Piece[]} */
  pieces = [];
  #sizes = { in: 0, out: 0 };
  #ends = { in: 0, out: 0 };

  /** @param {{ direction: "in" | "out", at: number, offset: number, data: string }[]} added */
  add(added) {
    for (const { data, ...piece } of added) {
      const bytes = bytesOf(data);
      // A reopened stream starts with bytes that are already known.
      if (piece.offset < this.#ends[piece.direction]) continue;
      this.#ends[piece.direction] = piece.offset + bytes.length;
      this.#sizes[piece.direction] += bytes.length;
      this.pieces.push({ ...piece, bytes });
      this.#forget(piece.direction);
    }
  }

  /** @param {"in" | "out"} direction */
  #forget(direction) {
    while (this.#sizes[direction] > MAX_BYTES) {
      const at = this.pieces.findIndex((piece) => piece.direction === direction);
      const [piece] = this.pieces.splice(at, 1);
      this.#sizes[direction] -= piece?.bytes.length ?? 0;
    }
  }
}

/** The bytes of `connection:N` or `client:N`, while the view is mounted. @param {string} name */
export function useTranscript(name) {
  const transcript = useRef(new Transcript());
  const named = useRef(name);
  if (named.current !== name) {
    named.current = name;
    transcript.current = new Transcript();
  }
  const refresh = useRefresh();
  useEffect(() => live.watch(name), [name]);
  useLive("bytes", ({ of, pieces }) => {
    if (of !== name) return;
    transcript.current?.add(pieces);
    refresh();
  });
  return transcript.current?.pieces ?? [];
}
