/** The state of the trace view, kept in the address so that a copied link shows the same. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { go, routeOf } from "../../navigation/route";
import { SELECTION_PARAMETERS } from "../../navigation/selection";
import { type Range, rangeFrom, rangeText } from "./time_scale";

// Chromium allows 200 address changes in 30 s; a held arrow key would exceed that.
const SETTLED_MS = 200;

export interface ViewState {
  /** The selected row: a span's id, or the id of a line below it. */
  span: string | null;
  find: string;
  range: Range | null;
  correctSkew: boolean;
  /** Whether log lines and events are shown below all spans. */
  lines: boolean;
  /** Ids of spans whose lines are shown even if `lines` is false. */
  opened: readonly string[];
  /** Ids of spans whose subtrees are collapsed; `all` includes hops that arrive later. */
  collapsed: readonly string[] | "all";
  /** Ids of spans whose repeats are shown. */
  repeats: readonly string[];
}

/** Parse the view state in the address; invalid parts are ignored. */
export function viewStateFrom(query: URLSearchParams): ViewState {
  return {
    span: query.get("span"),
    find: query.get("find") ?? "",
    range: rangeFrom(query.get("range")),
    correctSkew: query.get("correct_skew") === "1",
    lines: query.get("lines") === "1",
    opened: spanIdsIn(query.get("opened")),
    collapsed: query.get("collapsed") === "all" ? "all" : spanIdsIn(query.get("collapsed")),
    repeats: spanIdsIn(query.get("repeats")),
  };
}

function spanIdsIn(text: string | null): string[] {
  return (text ?? "").split(".").filter((id) => /^[0-9a-f]{16}$/.test(id));
}

/**
 * Return the address of a trace in a view state.
 *
 * @param current the current query parameters; their selection is kept for "All traces".
 */
export function addressOf(
  traceId: string,
  viewState: ViewState,
  current = new URLSearchParams(),
): string {
  const query = new URLSearchParams();
  for (const name of SELECTION_PARAMETERS) {
    const value = current.get(name);
    if (value !== null) query.set(name, value);
  }
  if (viewState.span) query.set("span", viewState.span);
  if (viewState.find) query.set("find", viewState.find);
  if (viewState.range) query.set("range", rangeText(viewState.range));
  if (viewState.correctSkew) query.set("correct_skew", "1");
  if (viewState.lines) query.set("lines", "1");
  if (viewState.opened.length > 0) query.set("opened", viewState.opened.join("."));
  const { collapsed } = viewState;
  if (collapsed.length > 0)
    query.set("collapsed", collapsed === "all" ? collapsed : collapsed.join("."));
  if (viewState.repeats.length > 0) query.set("repeats", viewState.repeats.join("."));
  const text = query.toString();
  return `/traces/${traceId}${text && `?${text}`}`;
}

/** Return the view state and a function to change parts of it; the address is updated with a delay. */
export function useViewState(
  traceId: string,
  query: URLSearchParams,
): [ViewState, (change: Partial<ViewState>) => void] {
  const queryText = query.toString();
  const lastQueryText = useRef(queryText);
  const [viewState, setViewState] = useState(() => viewStateFrom(query));
  useLayoutEffect(() => {
    // Changed by a link to another span, or Back.
    if (queryText !== lastQueryText.current) setViewState(viewStateFrom(query));
    lastQueryText.current = queryText;
  }, [queryText]);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      // The reader may have navigated away: timers are cleared only after the next paint.
      const now = routeOf(location);
      if (now.view !== "trace" || now.traceId !== traceId) return;
      const address = addressOf(traceId, viewState, new URLSearchParams(location.search));
      if (address === location.pathname + location.search) return;
      lastQueryText.current = new URL(address, location.origin).searchParams.toString();
      go(address, "replace");
    }, SETTLED_MS);
    return () => window.clearTimeout(timer);
  }, [traceId, viewState]);
  const change = useCallback(
    (part: Partial<ViewState>) => setViewState((before) => ({ ...before, ...part })),
    [],
  );
  return [viewState, change];
}
