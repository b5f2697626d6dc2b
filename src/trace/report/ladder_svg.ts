/**
 * Renders ladders as SVG.
 *
 * @module
 */
import type { Ladder, Rung } from "./ladder.ts";

const WIDTH = 820;
const MARGIN = 24;
const LEFT_POLE = 220;
const RIGHT_POLE = 680;
const ROW = 34;
const LINE = 20;
const HEAD = 92;

/** Both colour schemes meet WCAG 2.1 level AA contrast. */
const STYLE = `
.ladder { --paper: #ffffff; --ink: #1f2328; --quiet: #59636e; --rule: #d1d9e0;
  --handshake: #0969da; --data: #59636e; --closing: #8250df; --failure: #cf222e;
  --anomaly: #9a6700; --inferred: #59636e; --good: #1a7f37; }
@media (prefers-color-scheme: dark) {
  .ladder { --paper: #0d1117; --ink: #e6edf3; --quiet: #9198a1; --rule: #3d444d;
    --handshake: #58a6ff; --data: #9198a1; --closing: #bc8cff; --failure: #ff7b72;
    --anomaly: #e3b341; --inferred: #9198a1; --good: #56d364; }
}
.ladder { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.ladder text { fill: var(--ink); }
.ladder .paper { fill: var(--paper); }
.ladder .pole { stroke: var(--rule); stroke-width: 2; }
.ladder .end { font-weight: bold; }
.ladder .quiet { fill: var(--quiet); }
.ladder .good { fill: var(--good); }
.ladder .bad { fill: var(--failure); }
.ladder .arrow { fill: none; stroke-width: 1.5; }
.ladder .inferred .arrow { stroke-dasharray: 2 4; }
.ladder .label { stroke: var(--paper); stroke-width: 5px; paint-order: stroke; }
`;

const TONES: readonly Rung["tone"][] = [
  "handshake",
  "data",
  "closing",
  "failure",
  "anomaly",
  "inferred",
];

/** Renders ladders one below the other in one SVG image, for light and dark colour schemes. */
export function renderLadders(ladders: readonly Ladder[]): string {
  let height = 0;
  const groups: string[] = [];
  for (const ladder of ladders) {
    groups.push(`<g transform="translate(0 ${height})">${drawLadder(ladder)}</g>`);
    height += heightOf(ladder);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" class="ladder" role="img" ` +
    `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}">\n` +
    `<title>${escapeText(titleOf(ladders))}</title>\n` +
    `<style>${STYLE}${TONES.map(toneStyle).join("")}</style>\n` +
    `<rect class="paper" width="100%" height="100%"/>\n${groups.join("\n")}\n</svg>\n`;
}

function titleOf(ladders: readonly Ladder[]): string {
  return ladders.map(({ client, server, diagnosis }) => `${client} → ${server}: ${diagnosis.text}`)
    .join("\n");
}

function toneStyle(tone: Rung["tone"]): string {
  return `.ladder .${tone} .arrow { stroke: var(--${tone}); }\n` +
    `.ladder .${tone} .tip, .ladder .${tone} .label { fill: var(--${tone}); }\n`;
}

function heightOf(ladder: Ladder): number {
  return HEAD + ladder.rungs.length * ROW + footOf(ladder).length * LINE + 2 * MARGIN;
}

function drawLadder(ladder: Ladder): string {
  const bottom = HEAD + ladder.rungs.length * ROW;
  return [
    text(MARGIN, 30, { class: "quiet" }, wrapped(ladder.when)[0] ?? ""),
    text(MARGIN, 56, { class: "end" }, ladder.client),
    text(WIDTH - MARGIN, 56, { class: "end", "text-anchor": "end" }, ladder.server),
    ...[LEFT_POLE, RIGHT_POLE].map((x) =>
      `<line class="pole" x1="${x}" y1="70" x2="${x}" y2="${bottom}"/>`
    ),
    ...ladder.rungs.map((rung, index) => drawRung(rung, HEAD + index * ROW)),
    ...footOf(ladder).map(({ line, style }, index) =>
      text(MARGIN, bottom + MARGIN + index * LINE, { class: style }, line)
    ),
  ].join("\n");
}

function drawRung(rung: Rung, y: number): string {
  const middle = (LEFT_POLE + RIGHT_POLE) / 2;
  const label = { class: "label", "text-anchor": "middle" };
  return [
    `<g class="${rung.tone}">`,
    text(MARGIN, y + 5, { class: "quiet" }, rung.elapsed),
    text(
      LEFT_POLE - 14,
      y + 5,
      { ...stateStyle(rung.clientState), "text-anchor": "end" },
      rung.clientState,
    ),
    text(RIGHT_POLE + 14, y + 5, stateStyle(rung.serverState), rung.serverState),
    rung.direction === "none" ? "" : drawArrow(rung.direction, y),
    text(middle, rung.direction === "none" ? y + 5 : y - 5, label, rung.label),
    "</g>",
  ].join("");
}

function stateStyle(state: string): { class: string } {
  return { class: state === "ESTABLISHED" ? "good" : "state" };
}

function drawArrow(direction: "left" | "right", y: number): string {
  const isRight = direction === "right";
  const from = isRight ? LEFT_POLE + 4 : RIGHT_POLE - 4;
  const to = isRight ? RIGHT_POLE - 4 : LEFT_POLE + 4;
  const back = isRight ? to - 9 : to + 9;
  return `<path class="arrow" d="M${from} ${y + 2}L${back} ${y + 8}"/>` +
    `<path class="tip" d="M${to} ${y + 8}L${back} ${y + 4}L${back} ${y + 12}z"/>`;
}

function footOf(
  { when, offers, notes, diagnosis }: Ladder,
): { line: string; style: string }[] {
  const lines = [...wrapped(when).slice(1), ...offers].map((line) => ({ line, style: "quiet" }));
  if (notes.length > 0) lines.push({ line: notes.join(" · "), style: "quiet" });
  const good = diagnosis.outcome === "established";
  lines.push({ line: diagnosis.text, style: good ? "good" : "bad" });
  if (diagnosis.next !== undefined) lines.push({ line: `→ ${diagnosis.next}`, style: "quiet" });
  return lines.flatMap(({ line, style }) => wrapped(line).map((part) => ({ line: part, style })));
}

/** Wraps text at 96 characters of 7.8 units, since SVG has no line breaking. */
function wrapped(line: string): string[] {
  return line.match(/.{1,96}(?:\s|$)/g)?.map((part) => part.trimEnd()) ?? [line];
}

function text(x: number, y: number, attributes: Record<string, string>, content: string): string {
  const list = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`).join("");
  return content === "" ? "" : `<text x="${x}" y="${y}"${list}>${escapeText(content)}</text>`;
}

function escapeText(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    // XML 1.0 allows no other control characters, not even escaped (section 2.2).
    // deno-lint-ignore no-control-regex
    .replaceAll(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "\ufffd");
}
