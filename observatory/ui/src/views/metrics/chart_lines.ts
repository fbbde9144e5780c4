/** The lines of a metric's chart, which share their times. */

import type { Attributes, MetricPoint, MetricSeries } from "../../api/types";

/** The number of lines that have a distinct colour and dash pattern; further ones are not shown. */
export const LINES_MAX = 8;

export interface ChartLines {
  /** Unix seconds, ascending. Each line has a value, or null, for each of them. */
  times: number[];
  lines: { label: string; values: (number | null)[] }[];
  /** The number of lines that are not shown. */
  hidden: number;
}

/** Return the lines of a metric, those with the highest last value first. */
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

/** Label each series with the attributes in which it, or its process, differs from the others. */
function labelled(answer: MetricSeries): { label: string; points: MetricPoint[] }[] {
  const keys = [
    ...new Set(answer.series.flatMap(({ attributes }) => Object.keys(attributes))),
  ].sort();
  const differingKeys = keys.filter(
    (key) => new Set(answer.series.map(({ attributes }) => text(attributes, key))).size > 1,
  );
  const hasInstances = answer.series.some(({ instance }) => Object.keys(instance).length > 0);
  const labelKeys = differingKeys.length > 0 || hasInstances ? differingKeys : keys;
  return answer.series.map(({ attributes, instance, points }) => {
    const parts = labelKeys.filter((key) => key in attributes).map((key) => text(attributes, key));
    for (const key of Object.keys(instance)) parts.push(text(instance, key));
    return { label: parts.join(" · ") || "value", points };
  });
}

function text(attributes: Attributes, key: string): string {
  const value = attributes[key];
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
