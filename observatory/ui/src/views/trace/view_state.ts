/** What of a trace one looks at, kept in the address so that a pasted URL shows the same. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { go, routeOf } from "../../navigation/route";
import { SELECTION_PARAMETERS } from "../../navigation/selection";
import { type Range, rangeFrom, rangeText } from "./time_scale";

// Chromium ignores an address that changes more than 200 times in 30 s, as under a held arrow key.
const SETTLED_MS = 200;

export interface ViewState {
  /** The row that is chosen: a span's id, or the id of a line below it. */
  span: string | null;
  find: string;
  range: Range | null;
  correctSkew: boolean;
  /** Whether log lines and events are shown under their spans. */
  lines: boolean;
  /** Ids of spans whose lines are shown, whatever `lines` says. */
  opened: readonly string[];
  /** Ids of spans whose subtrees are collapsed; `all` is every hop, whatever else arrives. */
  collapsed: readonly string[] | "all";
}

export function viewStateFrom(query: URLSearchParams): ViewState {
  return {
    span: query.get("span"),
    find: query.get("find") ?? "",
    range: rangeFrom(query.get("range")),
    correctSkew: query.get("correct_skew") === "1",
    lines: query.get("lines") === "1",
    opened: spanIdsIn(query.get("opened")),
    collapsed: query.get("collapsed") === "all" ? "all" : spanIdsIn(query.get("collapsed")),
  };
}

function spanIdsIn(text: string | null): string[] {
  return (text ?? "").split(".").filter((id) => /^[0-9a-f]{16}$/.test(id));
}

/**
 * The address of a trace, or of a place in it.
 *
 * @param around what else the address said: which traces one came from.
 */
export function addressOf(traceId: string, viewState: ViewState, around = new URLSearchParams()): string {
  const query = new URLSearchParams();
  for (const name of SELECTION_PARAMETERS) {
    const value = around.get(name);
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
  const text = query.toString();
  return `/traces/${traceId}${text && `?${text}`}`;
}

/** The current place, and how to change parts of it; the address follows once it has settled. */
export function useViewState(
  traceId: string,
  query: URLSearchParams,
): [ViewState, (change: Partial<ViewState>) => void] {
  const asked = query.toString();
  const known = useRef(asked);
  const [viewState, setPlace] = useState(() => viewStateFrom(query));
  useLayoutEffect(() => {
    // Not by us: a link to another span, or Back.
    if (asked !== known.current) setPlace(viewStateFrom(query));
    known.current = asked;
  }, [asked]);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      // Whoever went on or back is elsewhere by now: a timer is cleared only after the next paint.
      const now = routeOf(location);
      if (now.view !== "trace" || now.traceId !== traceId) return;
      const address = addressOf(traceId, viewState, new URLSearchParams(location.search));
      if (address === location.pathname + location.search) return;
      known.current = new URL(address, location.origin).searchParams.toString();
      go(address, "replace");
    }, SETTLED_MS);
    return () => window.clearTimeout(timer);
  }, [traceId, viewState]);
  const change = useCallback(
    (part: Partial<ViewState>) => setPlace((before) => ({ ...before, ...part })),
    [],
  );
  return [viewState, change];
}
