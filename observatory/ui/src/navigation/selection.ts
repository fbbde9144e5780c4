/** The selection: a filter and a time range, kept in the query string of the address. */
import { go, type NavigationMode } from "./route";

/** The last `seconds` before now, everything, or an interval in Unix milliseconds, null for no bound. */
export type Range =
  | { kind: "last"; seconds: number }
  | { kind: "all" }
  | { kind: "between"; from: number | null; to: number | null };

export interface Selection {
  /** The filter's text; empty selects every trace. */
  q: string;
  range: Range;
}

const DEFAULT_SECONDS = 900;
export const DEFAULT_RANGE: Range = { kind: "last", seconds: DEFAULT_SECONDS };

/** The query parameters that this module owns. */
export const SELECTION_PARAMETERS = ["q", "last", "from", "to"] as const;

/** Read the selection from `q`, and `last` (seconds or `all`) or `from` and `to`; ignore what is invalid. */
export function selectionOf(query: URLSearchParams): Selection {
  return { q: query.get("q")?.trim() ?? "", range: rangeOf(query) };
}

function rangeOf(query: URLSearchParams): Range {
  const from = wholeNumber(query.get("from"));
  const to = wholeNumber(query.get("to"));
  if (from !== null || to !== null) return { kind: "between", from, to };
  const last = query.get("last");
  if (last === "all") return { kind: "all" };
  const seconds = wholeNumber(last);
  return seconds === null || seconds === 0 ? DEFAULT_RANGE : { kind: "last", seconds };
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Whether the range grows with time, so that new traces join the selection. */
export function isLive(range: Range): boolean {
  return range.kind !== "between" || range.to === null;
}

/** Return the interval that a range covers at `now`, in Unix milliseconds. */
export function paused(range: Range, now: number): Range {
  if (range.kind === "last") return { kind: "between", from: now - range.seconds * 1000, to: now };
  return { kind: "between", from: range.kind === "between" ? range.from : null, to: now };
}

/** Return a live range of the same length. */
export function resumed(range: Range): Range {
  if (range.kind !== "between") return range;
  if (range.from === null || range.to === null) return { kind: "all" };
  return { kind: "last", seconds: Math.max(1, Math.round((range.to - range.from) / 1000)) };
}

/** Return the selection as query parameters of the API. */
export function selectionParameters({ q, range }: Selection): URLSearchParams {
  const parameters = new URLSearchParams();
  if (q !== "") parameters.set("q", q);
  if (range.kind === "last") parameters.set("last", String(range.seconds));
  if (range.kind === "between") {
    if (range.from !== null) parameters.set("from", String(range.from));
    if (range.to !== null) parameters.set("to", String(range.to));
  }
  return parameters;
}

/** Return `query` with its selection replaced, and its other parameters kept. */
export function withSelection(query: URLSearchParams, selection: Selection): URLSearchParams {
  const changed = new URLSearchParams(query);
  for (const name of SELECTION_PARAMETERS) changed.delete(name);
  for (const [name, value] of selectionParameters(selection)) changed.set(name, value);
  if (selection.range.kind === "all") changed.set("last", "all");
  if (changed.get("last") === String(DEFAULT_SECONDS)) changed.delete("last");
  return changed;
}

/** Return the address of another view with the same selection and no other parameters. */
export function sameSelection(path: string, query: URLSearchParams): string {
  return address(path, withSelection(new URLSearchParams(), selectionOf(query)));
}

/** Join a path and a query string, which may be empty. */
export function address(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Navigate to the current view with parts of its selection changed. */
export function select(change: Partial<Selection>, mode: NavigationMode = "push"): void {
  const query = new URLSearchParams(location.search);
  const selection = { ...selectionOf(query), ...change };
  go(address(location.pathname, withSelection(query, selection)), mode);
}

/** Combine two filters with `and`; either may be empty. */
export function bothFilters(first: string, second: string): string {
  if (first.trim() === "") return second.trim();
  if (second.trim() === "" || first.trim() === second.trim()) return first.trim();
  return `${parenthesised(first)} and ${parenthesised(second)}`;
}

/** Add parentheses if the filter holds an `or`, which binds weaker than `and`. */
function parenthesised(filter: string): string {
  const bare = filter.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  return /\bor\b/i.test(bare) ? `(${filter.trim()})` : filter.trim();
}
