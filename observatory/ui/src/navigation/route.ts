/** The mapping between addresses and views, and navigation without reloading the page. */
import { useLayoutEffect, useState } from "preact/hooks";

/** The views listed in the header, in order; `bar` is the selection control that a view has. */
export const VIEWS = [
  { view: "overview", path: "/", title: "Overview", bar: "filter" },
  { view: "map", path: "/map", title: "Map", bar: "filter" },
  { view: "logs", path: "/logs", title: "Logs", bar: "filter" },
  { view: "metrics", path: "/metrics", title: "Metrics", bar: "range" },
  { view: "ask", path: "/ask", title: "Ask", bar: "none" },
  { view: "storage", path: "/storage", title: "Storage", bar: "none" },
  { view: "faults", path: "/faults", title: "Faults", bar: "none" },
] as const;

/** `query` holds the view's state: each view reads its own parameters, so that links keep it. */
export type Route =
  | { view: (typeof VIEWS)[number]["view"]; query: URLSearchParams }
  | { view: "trace"; traceId: string; query: URLSearchParams }
  | { view: "diff"; left: string; right: string; query: URLSearchParams }
  | { view: "unknown"; path: string };

const NAVIGATED = "observatory:navigated";

/** Parse an address: `/`, `/map` …, `/traces/TRACE_ID` or `/diff/TRACE_ID/TRACE_ID`. */
export function routeOf(address: { pathname: string; search: string }): Route {
  const query = new URLSearchParams(address.search);
  const path = address.pathname.replace(/(?<=.)\/$/, "");
  const named = VIEWS.find((view) => view.path === path);
  if (named) return { view: named.view, query };
  const [section, first, second, ...rest] = path.split("/").slice(1);
  if (rest.length === 0 && section === "traces" && first && second === undefined)
    return { view: "trace", traceId: first.toLowerCase(), query };
  if (rest.length === 0 && section === "diff" && first && second)
    return { view: "diff", left: first.toLowerCase(), right: second.toLowerCase(), query };
  return { view: "unknown", path: address.pathname };
}

/** Return the address of a trace, or of one of its spans. */
export function tracePath(traceId: string, spanId?: string | null): string {
  return `/traces/${traceId}${spanId ? `?span=${spanId}` : ""}`;
}

/** Return the address that compares two traces. */
export function diffPath(left: string, right: string, query = new URLSearchParams()): string {
  const text = query.toString();
  return `/diff/${left}/${right}${text && `?${text}`}`;
}

/** `push`: a new history entry, scrolled to the top; `stay`: without scrolling; `replace`: no new entry. */
export type NavigationMode = "push" | "stay" | "replace";

/** Navigate to `path`. */
export function go(path: string, mode: NavigationMode = "push"): void {
  if (mode === "replace") history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  if (mode === "push") scrollTo(0, 0);
  dispatchEvent(new Event(NAVIGATED));
}

/** Return the current route, and render again when it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location));
  // A layout effect: a link can be clicked as soon as it is painted.
  useLayoutEffect(() => {
    const update = () => setRoute(routeOf(location));
    addEventListener("popstate", update);
    addEventListener(NAVIGATED, update);
    return () => {
      removeEventListener("popstate", update);
      removeEventListener(NAVIGATED, update);
    };
  }, []);
  return route;
}

/** Click handler for links: navigate without reloading, unless a modifier key is held. */
export function followLink(event: MouseEvent): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = event.currentTarget as HTMLAnchorElement;
  event.preventDefault();
  go(link.pathname + link.search);
}
