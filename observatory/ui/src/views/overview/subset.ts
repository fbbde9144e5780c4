/** The subset of the selected traces that is compared with the rest, as the address names it. */
import { bothFilters, type Range, type Selection } from "../../navigation/selection";

/** A half-open interval of start times (Unix ms) and one of durations (ms; null for no bound). */
export interface Box {
  from: number;
  to: number;
  minMs: number | null;
  maxMs: number | null;
}

export type Subset = { kind: "box"; box: Box } | { kind: "filter"; filter: string };

const PARAMETERS = ["in", "in_from", "in_to", "in_least_ms", "in_most_ms"] as const;

/** Read `in`, or `in_from`, `in_to`, `in_least_ms` and `in_most_ms`; null if nothing is compared. */
export function subsetFrom(query: URLSearchParams): Subset | null {
  const filter = query.get("in")?.trim();
  if (filter) return { kind: "filter", filter };
  const [from, to] = [numberIn(query.get("in_from")), numberIn(query.get("in_to"))];
  if (from === null || to === null || from >= to) return null;
  const [minMs, maxMs] = [numberIn(query.get("in_least_ms")), numberIn(query.get("in_most_ms"))];
  return { kind: "box", box: { from, to, minMs, maxMs } };
}

function numberIn(text: string | null): number | null {
  return text !== null && /^\d{1,15}(\.\d+)?$/.test(text) ? Number(text) : null;
}

/** Return the query parameters of a subset, for the address and the API. */
export function subsetParameters(subset: Subset): URLSearchParams {
  if (subset.kind === "filter") return new URLSearchParams({ in: subset.filter });
  const { from, to, minMs, maxMs } = subset.box;
  const parameters = new URLSearchParams({ in_from: String(from), in_to: String(to) });
  if (minMs !== null) parameters.set("in_least_ms", String(minMs));
  if (maxMs !== null) parameters.set("in_most_ms", String(maxMs));
  return parameters;
}

/** Return `query` with another subset, or without one. */
export function withSubset(query: URLSearchParams, subset: Subset | null): URLSearchParams {
  const changed = new URLSearchParams(query);
  for (const name of PARAMETERS) changed.delete(name);
  if (subset) for (const [name, value] of subsetParameters(subset)) changed.set(name, value);
  return changed;
}

/** Return the selection restricted to a subset; the selection itself if there is none. */
export function selectionOfSubset(selection: Selection, subset: Subset | null): Selection {
  if (subset === null) return selection;
  if (subset.kind === "filter") return { ...selection, q: bothFilters(selection.q, subset.filter) };
  const { from, to, minMs, maxMs } = subset.box;
  const bounds = [
    ...(minMs === null ? [] : [`duration >= ${minMs} ms`]),
    ...(maxMs === null ? [] : [`duration < ${maxMs} ms`]),
  ];
  return {
    q: bothFilters(selection.q, bounds.join(" and ")),
    range: overlap(selection.range, from, to),
  };
}

function overlap(range: Range, from: number, to: number): Range {
  if (range.kind !== "between") return { kind: "between", from, to };
  return {
    kind: "between",
    from: Math.max(from, range.from ?? from),
    to: Math.min(to, range.to ?? to),
  };
}
