/**
 * Handshake diagrams as images.
 *
 * @module
 */
import type { Ladder } from "../trace/report/ladder.ts";
import { renderLadders } from "../trace/report/ladder_svg.ts";
import { HttpError } from "./http_error.ts";

/**
 * A ladder diagram as an SVG image.
 * @throws {HttpError} with status 404 without a ladder
 */
export function ladderImage(ladder: Ladder | undefined): Response {
  if (!ladder) throw new HttpError(404, "there is no handshake to show");
  return new Response(renderLadders([ladder]), {
    headers: { "content-type": "image/svg+xml", "cache-control": "no-store" },
  });
}
