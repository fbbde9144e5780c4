/** Which traces a view is about: a filter and a range of time, both named by the address. */
import { type Going, go } from "./route";

/** The last so many seconds until now, everything, or from one moment to another (unix ms). */
export type Range =
  | { kind: "last"; seconds: number }
  | { kind: "all" }
  | { kind: "between"; from: number | null; to: number | null };

export interface Selection {
  /** The filter's text; empty is every trace. */
  q: string;
  range: Range;
}

const DEFAULT_SECONDS = 900;
export const DEFAULT_RANGE: Range = { kind: "last", seconds: DEFAULT_SECONDS };

/** The address's parameters that this module owns. */
export const SELECTION_PARAMETERS = ["q", "last", "from", "to"] as const;

/** Reads `q`, and `last` (seconds, or `all`) or `from` and `to`; what can't be read is left out. */
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

/** Whether new traces come into the selection as they arrive. */
export function isLive(range: Range): boolean {
  return range.kind !== "between" || range.to === null;
}

/** The range as it is at this moment, which no longer moves. */
export function paused(range: Range, now: number): Range {
  if (range.kind === "last") return { kind: "between", from: now - range.seconds * 1000, to: now };
  return { kind: "between", from: range.kind === "between" ? range.from : null, to: now };
}

/** A range of the same length that ends now and moves on. */
export function resumed(range: Range): Range {
  if (range.kind !== "between") return range;
  if (range.from === null || range.to === null) return { kind: "all" };
  return { kind: "last", seconds: Math.max(1, Math.round((range.to - range.from) / 1000)) };
}

/** The selection as every endpoint of the API takes it. */
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

/** `query` with another selection; its other parameters stay. */
export function withSelection(query: URLSearchParams, selection: Selection): URLSearchParams {
  const changed = new URLSearchParams(query);
  for (const name of SELECTION_PARAMETERS) changed.delete(name);
  for (const [name, value] of selectionParameters(selection)) changed.set(name, value);
  if (selection.range.kind === "all") changed.set("last", "all");
  if (changed.get("last") === String(DEFAULT_SECONDS)) changed.delete("last");
  return changed;
}

/** The address of another view that keeps the selection and nothing else. */
export function sameSelection(path: string, query: URLSearchParams): string {
  return address(path, withSelection(new URLSearchParams(), selectionOf(query)));
}

/** A path with its query, if it has any. */
export function address(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** Shows this view with another selection. */
export function select(change: Partial<Selection>, how: Going = "push"): void {
  const query = new URLSearchParams(location.search);
  const selection = { ...selectionOf(query), ...change };
  go(address(location.pathname, withSelection(query, selection)), how);
}

/** Both filters at once; either may be empty. */
export function bothFilters(first: string, second: string): string {
  if (first.trim() === "") return second.trim();
  if (second.trim() === "" || first.trim() === second.trim()) return first.trim();
  return `${joined(first)} and ${joined(second)}`;
}

/** In parentheses where an `and` beside it would take it apart. */
function joined(filter: string): string {
  const bare = filter.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  return /\bor\b/i.test(bare) ? `(${filter.trim()})` : filter.trim();
}
