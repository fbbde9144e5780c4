/** Lines over time, drawn by uPlot. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { ChartLines } from "./chart_lines";

const HEIGHT_PX = 320;
const DAY_SECONDS = 86_400;
/** Told apart by more than their colour: from the fourth line on they are dashed. */
const DASHES = [[], [], [], [8, 4], [8, 4], [2, 3], [2, 3], [12, 3, 2, 3]];

interface Props {
  lines: ChartLines;
  title: string;
  valueText: (value: number | null) => string;
  /** Told which moment the pointer is at; null when it is at none. */
  onPoint: (index: number | null) => void;
}

export function Chart({ lines, title, valueText, onPoint }: Props) {
  const container = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const said = useRef(valueText);
  said.current = valueText;
  const shape = lines.lines.map(({ label }) => label).join("\n");
  const data = dataOf(lines);
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = container.current;
    if (element === null) return;
    const draw = () => {
      chart.current?.destroy();
      const text = (value: number | null) => said.current(value);
      const options = optionsOf(element, latest.current.length - 1, text, onPoint);
      chart.current = new uPlot(options, latest.current, element);
    };
    draw();
    const resized = new ResizeObserver(() =>
      chart.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    );
    resized.observe(element);
    // The canvas holds colours, not their names: another scheme needs another drawing.
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", draw);
    const chosen = new MutationObserver(draw);
    chosen.observe(document.documentElement, { attributes: true });
    return () => {
      resized.disconnect();
      chosen.disconnect();
      scheme.removeEventListener("change", draw);
      chart.current?.destroy();
      chart.current = null;
    };
  }, [shape, onPoint]);

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
  const soft = resolved(element, "--soft");
  const grid = { stroke: resolved(element, "--line"), width: 1 };
  const axis = { stroke: soft, font: "12px system-ui, sans-serif", grid, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    padding: [12, 16, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 8 } },
    scales: { y: { range: (_, least, most) => around(least, most) } },
    axes: [
      { ...axis, values: (_, ticks, _axis, _space, step) => ticks.map((at) => moment(at, step)) },
      { ...axis, size: 76, values: (_, ticks) => ticks.map(valueText) },
    ],
    series: [
      {},
      ...Array.from({ length: lines }, (_, index) => ({
        stroke: resolved(element, `--series-${index + 1}`),
        width: 2,
        dash: DASHES[index] ?? [],
        points: { show: false },
        spanGaps: true,
      })),
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}

/** A tick of the time axis, as exact as its step. */
function moment(seconds: number, step: number): string {
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

/** The values' range with some air; from zero on where nothing is below it. */
function around(least: number | null, most: number | null): uPlot.Range.MinMax {
  if (least === null || most === null) return [0, 1];
  const air = (most - Math.min(0, least)) * 0.08 || 1;
  return [least < 0 ? least - air : 0, most + air];
}

/** A colour's value here and now: a canvas knows no custom property. */
function resolved(element: HTMLElement, property: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${property})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
