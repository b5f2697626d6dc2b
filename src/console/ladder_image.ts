/**
 * Handshakes as images.
 *
 * @module
 */
import type { Ladder } from "../handshake/ladder.ts";
import { renderLadders } from "../handshake/ladder_svg.ts";
import { Refusal } from "./refusal.ts";

/**
 * A ladder as an SVG image.
 *
 * @throws {Refusal} with status 404 where there is none
 */
export function ladderImage(ladder: Ladder | undefined): Response {
  if (!ladder) throw new Refusal(404, "there is no handshake to be shown");
  return new Response(renderLadders([ladder]), {
    headers: { "content-type": "image/svg+xml", "cache-control": "no-store" },
  });
}
