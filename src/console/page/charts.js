// @ts-check
/** The last quarter of an hour, drawn. */
import { html, useEffect, useRef, useState } from "./preact.js";
import { get } from "./api.js";
import { count, size } from "./format.js";
import { useLive } from "./hooks.js";
import uPlot from "./uplot.js";

/** Seconds that are shown. */
const SPAN = 15 * 60;

const HEIGHT = 130;

/** @typedef {{ at: number, open: number, opened: number, refused: number, bytesIn: number, bytesOut: number, delay: number }} Sample */
/** @typedef {{ title: string, lines: [label: string, key: keyof Sample, colour: string][], steps: number[], write: (value: number) => string }} Chart */

/** What may lie between two lines of a grid: round numbers, and round sizes. */
const COUNTS = Array.from({ length: 7 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power))
  .flat();
const SIZES = Array.from({ length: 40 }, (_, power) => 2 ** power);

/** @type {Chart[]} */
const CHARTS = [
  { title: "Connections", lines: [["open", "open", "--accent"]], steps: COUNTS, write: count },
  {
    title: "A second",
    lines: [["let in", "opened", "--good"], ["refused", "refused", "--bad"]],
    steps: COUNTS,
    write: count,
  },
  {
    title: "Bytes a second",
    lines: [["received", "bytesIn", "--in"], ["sent", "bytesOut", "--out"]],
    steps: SIZES,
    write: size,
  },
  {
    title: "Event loop delay",
    lines: [["longest", "delay", "--accent"]],
    steps: COUNTS,
    write: (value) => `${Math.round(value)} ms`,
  },
];

export function Charts() {
  const [samples, setSamples] = useState(/** @type {Sample[]} */ ([]));
  useEffect(() => void get("history").then(setSamples, () => {}), []);
  useLive(
    "sample",
    (sample) => setSamples((/** @type {Sample[]} */ before) => [...before, sample].slice(-SPAN)),
  );
  return html`
    <div class="charts">
      ${CHARTS.map((chart) =>
        html`<${ChartView} key=${chart.title} chart=${chart} samples=${samples} />`
      )}
    </div>
  `;
}

/** @param {{ chart: Chart, samples: Sample[] }} props */
function ChartView({ chart, samples }) {
  const place = useRef(/** @type {any} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const latest = useRef(samples);
  latest.current = samples;
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(
        optionsOf(chart, place.current),
        dataOf(chart, latest.current ?? []),
        place.current,
      );
    };
    draw();
    const observer = new ResizeObserver(() =>
      plot.current.setSize({ width: place.current.clientWidth, height: HEIGHT })
    );
    observer.observe(place.current);
    dark.addEventListener("change", draw);
    return () => {
      observer.disconnect();
      dark.removeEventListener("change", draw);
      plot.current.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(dataOf(chart, samples)), [samples]);
  const last = samples.at(-1);
  return html`
    <figure class="card chart" aria-label=${chart.title}>
      <figcaption>
        <span>${chart.title}</span>
        ${chart.lines.map(([label, key, colour]) =>
          html`
            <span class="key"><i class=${`key-${
              colour.slice(2)
            }`}></i>${label} <b class="number">${chart.write(last?.[key] ?? 0)}</b></span>
          `
        )}
      </figcaption>
      <div class="plot" ref=${place}></div>
    </figure>
  `;
}

/** @param {Chart} chart @param {Sample[]} samples @returns {any} */
function dataOf({ lines }, samples) {
  return [
    samples.map(({ at }) => at / 1000),
    ...lines.map(([, key]) => samples.map((sample) => sample[key])),
  ];
}

/** @param {Chart} chart @param {Element} place @returns {any} */
function optionsOf({ lines, steps, write }, place) {
  const style = getComputedStyle(place);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--quiet"),
    grid: { stroke: colour("--rule"), width: 1 },
    ticks: { show: false },
  };
  const font = `11px ${style.fontFamily}`;
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, points: { size: 5 } },
    scales: {
      x: { range: () => [Date.now() / 1000 - SPAN, Date.now() / 1000] },
      y: {
        range: (
          /** @type {any} */ _,
          /** @type {number} */ __,
          /** @type {number} */ most,
        ) => [0, Math.max(most, 1) * 1.15],
      },
    },
    axes: [
      {
        ...axis,
        font,
        size: 26,
        space: 80,
        values: (/** @type {any} */ _, /** @type {number[]} */ times) => times.map(minutes),
      },
      {
        ...axis,
        font,
        size: 62,
        space: 36,
        incrs: steps,
        values: (/** @type {any} */ _, /** @type {number[]} */ values) => values.map(write),
      },
    ],
    series: [
      {},
      ...lines.map(([label, , name]) => ({
        label,
        stroke: colour(name),
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

/** @param {number} seconds */
function minutes(seconds) {
  return new Date(seconds * 1000).toTimeString().slice(0, 5);
}
