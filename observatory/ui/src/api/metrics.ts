/** Metrics that were received, as `GET /api/metrics` and `/api/metrics/series` say. */
import { ask } from "./ask";
import type { Attributes } from "./journey";

export type MetricType = "gauge" | "sum" | "histogram" | "exponential_histogram" | "summary";

export interface Metric {
  name: string;
  service: string;
  type: MetricType;
  unit: string;
  description: string;
  points: number;
  series: number;
}

/** A moment (unix ms) and the value at it; null where there is none. */
export type MetricPoint = [time_ms: number, value: number | null];

export interface MetricSeries {
  attributes: Attributes;
  points: MetricPoint[];
}

/** `rate` says that the points are what a growing sum grew by in a second. */
export interface MetricAnswer {
  series: MetricSeries[];
  quantiles: { p50: MetricPoint[]; p95: MetricPoint[] } | null;
  rate: boolean;
}

/** Every metric that has points in the range. */
export function fetchMetrics(signal: AbortSignal): Promise<{ metrics: Metric[] }> {
  return ask("/api/metrics", signal);
}

/** The points of one metric of one service. */
export function fetchSeries(
  metric: { name: string; service: string },
  range: URLSearchParams,
  signal: AbortSignal,
): Promise<MetricAnswer> {
  const query = new URLSearchParams(range);
  query.set("name", metric.name);
  query.set("service", metric.service);
  return ask(`/api/metrics/series?${query}`, signal);
}
