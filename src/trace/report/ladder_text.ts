/**
 * Renders ladders as text.
 *
 * @module
 */
import { bold, cyan, dim, green, red, yellow } from "@std/fmt/colors";
import type { Ladder, Rung, Tone } from "./ladder.ts";

const WIDTH = 80;
const TIME_WIDTH = 8;
const STATE_WIDTH = 11;
const LANE_WIDTH = WIDTH - TIME_WIDTH - 2 * STATE_WIDTH - 5;

/** Renders a ladder in lines of at most 80 columns. */
export function renderLadder(ladder: Ladder, { color = false } = {}): string {
  const paint = color ? paintRung : plainRung;
  const lines = [
    ...renderHead(ladder, color),
    ...ladder.rungs.map((rung) => renderRung(rung, paint)),
    ...ladder.offers.flatMap(wrap),
    ...ladder.notes.length > 0 ? wrap(ladder.notes.join(" · ")) : [],
    ...wrap(ladder.diagnosis.text).map((line) => color ? diagnosisColor(ladder)(line) : line),
    ...ladder.diagnosis.next === undefined ? [] : wrap(`→ ${ladder.diagnosis.next}`),
  ];
  return lines.map((line) => `${line.trimEnd()}\n`).join("");
}

function renderHead({ client, server, when }: Ladder, color: boolean): string[] {
  const title = wrap(when).map((line) => color ? dim(line) : line);
  const emphasis = color ? bold : String;
  const space = WIDTH - client.length - server.length;
  if (space >= 2) return [...title, emphasis(client + " ".repeat(space) + server)];
  return [...title, emphasis(client), emphasis(server.padStart(WIDTH))];
}

type Painter = (text: string, tone: Tone | "state") => string;

function renderRung(rung: Rung, paint: Painter): string {
  const time = rung.elapsed.padStart(TIME_WIDTH);
  const left = paint(rung.clientState.padEnd(STATE_WIDTH), "state");
  const right = paint(rung.serverState, "state");
  return `${time} ${left} │${paint(renderLane(rung), rung.tone)}│ ${right}`;
}

function renderLane({ direction, label, tone }: Rung): string {
  const line = tone === "inferred" ? "┄" : "─";
  if (direction === "none") return ` ${label}`.slice(0, LANE_WIDTH).padEnd(LANE_WIDTH);
  const rest = line.repeat(Math.max(0, LANE_WIDTH - label.length - 4));
  return direction === "right" ? `${line} ${label} ${rest}▶` : `◀${rest} ${label} ${line}`;
}

function plainRung(text: string): string {
  return text;
}

function paintRung(text: string, tone: Tone | "state"): string {
  switch (tone) {
    case "state":
      return text.startsWith("ESTABLISHED") ? green(text) : text;
    case "handshake":
      return cyan(text);
    case "failure":
      return red(text);
    case "anomaly":
      return yellow(text);
    case "inferred":
      return dim(text);
    case "data":
    case "closing":
      return text;
  }
}

function diagnosisColor({ diagnosis }: Ladder): (text: string) => string {
  if (diagnosis.outcome === "established") return green;
  return diagnosis.outcome === "partial" ? yellow : red;
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = "  ";
    }
    line += line === "" || line === "  " ? word : ` ${word}`;
  }
  return [...lines, line];
}
