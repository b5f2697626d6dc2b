// @ts-check
/** Charts of the last 15 minutes. */
import { html, useEffect, useRef, useState } from "./preact.js";
import { get } from "./api.js";
import { count, size } from "./format.js";
import { useLive } from "./hooks.js";
import uPlot from "./uplot.js";

/** The time span of a chart in seconds. */
const SPAN = 15 * 60;

const HEIGHT = 130;

/** @typedef {{ at: number, open: number, opened: number, refused: number, bytesIn: number, bytesOut: number, delay: number }} Sample */
/** @typedef {{ title: string, lines: [label: string, key: keyof Sample, colour: string][], steps: number[], write: (value: number) => string }} Chart */

/** The allowed steps of the grid: round numbers, and powers of two for sizes. */
const COUNTS = Array.from({ length: 7 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power))
  .flat();
const SIZES = Array.from({ length: 40 }, (_, power) => 2 ** power);

/** @type {Chart[]} */
const CHARTS = [
  { title: "Connections", lines: [["open", "open", "--accent"]], steps: COUNTS, write: count },
  {
    title: "Connections per second",
    lines: [["opened", "opened", "--good"], ["refused", "refused", "--bad"]],
    steps: COUNTS,
    write: count,
  },
  {
    title: "Bytes per second",
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
  const element = usePlot(chart, samples);
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
      <div class="plot" ref=${element}></div>
    </figure>
  `;
}

/**
 * Draws the samples, again when the size or the colour scheme changes. Returns the ref of the element to draw in.
 * @param {Chart} chart @param {Sample[]} samples
 */
function usePlot(chart, samples) {
  const element = useRef(/** @type {any} */ (null));
  const plot = useRef(/** @type {any} */ (null));
  const latest = useRef(samples);
  latest.current = samples;
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(
        optionsOf(chart, element.current),
        dataOf(chart, latest.current ?? []),
        element.current,
      );
    };
    draw();
    const observer = new ResizeObserver(() =>
      plot.current.setSize({ width: element.current.clientWidth, height: HEIGHT })
    );
    observer.observe(element.current);
    dark.addEventListener("change", draw);
    return () => {
      observer.disconnect();
      dark.removeEventListener("change", draw);
      plot.current.destroy();
    };
  }, []);
  useEffect(() => plot.current?.setData(dataOf(chart, samples)), [samples]);
  return element;
}

/** @param {Chart} chart @param {Sample[]} samples @returns {any} */
function dataOf({ lines }, samples) {
  return [
    samples.map(({ at }) => at / 1000),
    ...lines.map(([, key]) => samples.map((sample) => sample[key])),
  ];
}

/** @param {Chart} chart @param {Element} element @returns {any} */
function optionsOf({ lines, steps, write }, element) {
  const style = getComputedStyle(element);
  return {
    width: element.clientWidth,
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
    axes: axesOf(style, { steps, write }),
    series: [
      {},
      ...lines.map(([label, , name]) => ({
        label,
        stroke: colourOf(style, name),
        width: 1.5,
        points: { show: false },
      })),
    ],
  };
}

/** The axes of time and of values. @param {CSSStyleDeclaration} style @param {Pick<Chart, "steps" | "write">} chart */
function axesOf(style, { steps, write }) {
  const axis = {
    stroke: colourOf(style, "--quiet"),
    grid: { stroke: colourOf(style, "--rule"), width: 1 },
    ticks: { show: false },
    font: `11px ${style.fontFamily}`,
  };
  return [
    {
      ...axis,
      size: 26,
      space: 80,
      values: (/** @type {any} */ _, /** @type {number[]} */ times) => times.map(minutes),
    },
    {
      ...axis,
      size: 62,
      space: 36,
      incrs: steps,
      values: (/** @type {any} */ _, /** @type {number[]} */ values) => values.map(write),
    },
  ];
}

/** @param {CSSStyleDeclaration} style @param {string} name */
function colourOf(style, name) {
  return style.getPropertyValue(name).trim();
}

/** @param {number} seconds */
function minutes(seconds) {
  return new Date(seconds * 1000).toTimeString().slice(0, 5);
}
