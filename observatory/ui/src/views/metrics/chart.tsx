/** A line chart over time, drawn by uPlot. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { resolvedColour, useColourScheme } from "../../hooks/colour_scheme";
import type { ChartLines } from "./chart_lines";

const HEIGHT_PX = 320;
const DAY_SECONDS = 86_400;
/** The smallest distance of two ticks of the time axis, with room for a time with seconds. */
const TIME_TICK_PX = 84;
/** The steps of the time axis in seconds; labels have no fraction, so none is shorter than 1. */
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800],
  ...[1, 2, 3, 6, 12].map((hours) => hours * 3600),
  ...[1, 2, 5, 10, 30, 90, 365].map((days) => days * DAY_SECONDS),
];
/** Dash patterns by line, so that lines differ by more than their colour. */
const DASHES = [[], [], [], [8, 4], [8, 4], [2, 3], [2, 3], [12, 3, 2, 3]];

interface Props {
  lines: ChartLines;
  title: string;
  valueText: (value: number | null) => string;
  /** Receives the index of the time under the pointer; null if there is none. */
  onPoint: (index: number | null) => void;
}

export function Chart({ lines, title, valueText, onPoint }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const valueTextRef = useRef(valueText);
  valueTextRef.current = valueText;
  // A change of the colour scheme needs a new chart, because a canvas can't use CSS variables.
  const scheme = useColourScheme();
  const labels = lines.lines.map(({ label }) => label).join("\n");
  const data = dataOf(lines);
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    const text = (value: number | null) => valueTextRef.current(value);
    const options = optionsOf(element, latest.current.length - 1, text, onPoint);
    chart.current = new uPlot(options, latest.current, element);
    const resized = new ResizeObserver(() =>
      chart.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    );
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [labels, scheme, onPoint]);

  useEffect(() => {
    chart.current?.setData(latest.current);
  }, [lines]);

  return <div class="chart" ref={container} role="img" aria-label={`${title} over time`} />;
}

function dataOf({ times, lines }: ChartLines): uPlot.AlignedData {
  return [times, ...lines.map(({ values }) => values)];
}

function optionsOf(
  element: HTMLElement,
  lines: number,
  valueText: (value: number | null) => string,
  onPoint: (index: number | null) => void,
): uPlot.Options {
  const soft = resolvedColour(element, "--soft");
  const grid = { stroke: resolvedColour(element, "--line"), width: 1 };
  const axis = { stroke: soft, font: "12px system-ui, sans-serif", grid, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    padding: [12, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
    scales: { y: { range: (_, min, max) => paddedRange(min, max) } },
    axes: [
      {
        ...axis,
        space: TIME_TICK_PX,
        incrs: TIME_STEPS,
        values: (_, ticks, _axis, _space, step) => ticks.map((at) => timeTickText(at, step)),
      },
      { ...axis, size: 76, values: (_, ticks) => ticks.map(valueText) },
    ],
    series: [
      {},
      ...Array.from({ length: lines }, (_, index) => ({
        stroke: resolvedColour(element, `--series-${index + 1}`),
        width: 2,
        dash: DASHES[index] ?? [],
        points: { show: false },
        spanGaps: true,
      })),
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

/** Format a tick of the time axis with the precision of its step. */
function timeTickText(seconds: number, step: number): string {
  const at = new Date(seconds * 1000);
  if (step >= DAY_SECONDS)
    return at.toLocaleDateString("en-GB", { month: "short", day: "numeric" });
  const exact = step < 60 ? ({ second: "2-digit" } as const) : {};
  return at.toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    ...exact,
  });
}

/** Return the range of the value axis: from zero if no value is negative, with some margin. */
function paddedRange(min: number | null, max: number | null): uPlot.Range.MinMax {
  if (min === null || max === null) return [0, 1];
  const margin = (max - Math.min(0, min)) * 0.08 || 1;
  return [min < 0 ? min - margin : 0, max + margin];
}
