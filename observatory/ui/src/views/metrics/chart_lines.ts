/** What a metric's answer becomes on the chart: lines over one common time. */

import type { Attributes, MetricPoint, MetricSeries } from "../../api/types";

/** At most so many lines can be told apart; the rest is said. */
export const LINES_MAX = 8;

export interface ChartLines {
  /** Seconds since 1970, ascending: what every line has its values over. */
  times: number[];
  lines: { label: string; values: (number | null)[] }[];
  /** How many lines are left out. */
  hidden: number;
}

/** The lines of an answer, those with the highest last value first. */
export function chartLines(answer: MetricSeries): ChartLines {
  const all = answer.quantiles
    ? [
        { label: "p50", points: answer.quantiles.p50 },
        { label: "p95", points: answer.quantiles.p95 },
      ]
    : labelled(answer).sort((one, other) => lastOf(other.points) - lastOf(one.points));
  const shown = all.filter(({ points }) => points.length > 0).slice(0, LINES_MAX);
  const times = [...new Set(shown.flatMap(({ points }) => points.map(([time]) => time)))];
  times.sort((one, other) => one - other);
  return {
    times: times.map((time) => time / 1000),
    lines: shown.map(({ label, points }) => {
      const at = new Map(points);
      return { label, values: times.map((time) => at.get(time) ?? null) };
    }),
    hidden: all.length - shown.length,
  };
}

function lastOf(points: MetricPoint[]): number {
  return points.at(-1)?.[1] ?? Number.NEGATIVE_INFINITY;
}

/** Each series with a name made of the attributes in which it differs from the others. */
function labelled(answer: MetricSeries): { label: string; points: MetricPoint[] }[] {
  const keys = [...new Set(answer.series.flatMap((each) => Object.keys(each.attributes)))].sort();
  const told = keys.filter(
    (key) => new Set(answer.series.map((each) => text(each.attributes, key))).size > 1,
  );
  const said = told.length > 0 ? told : keys;
  return answer.series.map(({ attributes, points }) => {
    const parts = said.filter((key) => key in attributes).map((key) => text(attributes, key));
    return { label: parts.join(" · ") || "value", points };
  });
}

function text(attributes: Attributes, key: string): string {
  const value = attributes[key];
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
