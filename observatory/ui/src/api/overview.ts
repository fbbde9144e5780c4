/** All selected traces at once: their heatmap and figures, and what a part of them has in common. */
import { ask } from "./ask";

export interface Heatmap {
  from_ms: number;
  to_ms: number;
  column_ms: number;
  /** Stretches of trace duration, the shortest first. */
  rows: { least_ms: number; most_ms: number }[];
  /** Column, row, traces, traces with errors; empty cells are left out. */
  cells: [column: number, row: number, count: number, errors: number][];
  total: number;
  /** How many of them have such times that they are in no cell. */
  outside: number;
  errors: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  orders: number;
  coverage: number | null;
  orphans: number;
}

export interface ComparedValue {
  label: string;
  /** As the filter box takes it. */
  filter: string;
  inside: number;
  outside: number;
  inside_count: number;
  outside_count: number;
}

export interface ComparedAttribute {
  key: string;
  kind: "text" | "number" | "derived";
  difference: number;
  values: ComparedValue[];
}

export interface Comparison {
  selected: number;
  rest: number;
  sentence: { text: string; strong: boolean }[];
  attributes: ComparedAttribute[];
}

/** Counts by time and duration. */
export function fetchHeatmap(
  selection: URLSearchParams,
  size: { columns: number; rows: number },
  signal: AbortSignal,
): Promise<Heatmap> {
  const query = new URLSearchParams(selection);
  query.set("columns", String(size.columns));
  query.set("rows", String(size.rows));
  return ask(`/api/heatmap?${query}`, signal);
}

/** Every attribute, ranked by how differently it is spread inside and outside. */
export function fetchComparison(
  selection: URLSearchParams,
  inside: URLSearchParams,
  signal: AbortSignal,
): Promise<Comparison> {
  return ask(`/api/compare?${new URLSearchParams([...selection, ...inside])}`, signal);
}
