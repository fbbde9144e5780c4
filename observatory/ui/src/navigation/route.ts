/** Which view the address names, and how to move to another without loading the page again. */
import { useLayoutEffect, useState } from "preact/hooks";

/** The views that the navigation names, in its order: where they are, and what selects in them. */
export const VIEWS = [
  { view: "overview", path: "/", title: "Overview", bar: "filter" },
  { view: "map", path: "/map", title: "Map", bar: "filter" },
  { view: "logs", path: "/logs", title: "Logs", bar: "filter" },
  { view: "metrics", path: "/metrics", title: "Metrics", bar: "range" },
  { view: "ask", path: "/ask", title: "Ask", bar: "none" },
  { view: "storage", path: "/storage", title: "Storage", bar: "none" },
  { view: "faults", path: "/faults", title: "Faults", bar: "none" },
] as const;

/** `query` is the address's: each view reads its own part, so that a URL names all of what it shows. */
export type Route =
  | { view: (typeof VIEWS)[number]["view"]; query: URLSearchParams }
  | { view: "trace"; traceId: string; query: URLSearchParams }
  | { view: "diff"; left: string; right: string; query: URLSearchParams }
  | { view: "unknown"; path: string };

const MOVED = "observatory:moved";

/** Reads `/`, `/map` …, `/traces/TRACE_ID` and `/diff/TRACE_ID/TRACE_ID`. */
export function routeOf(address: { pathname: string; search: string }): Route {
  const query = new URLSearchParams(address.search);
  const path = address.pathname.replace(/(?<=.)\/$/, "");
  const named = VIEWS.find((view) => view.path === path);
  if (named) return { view: named.view, query };
  const [room, first, second, ...more] = path.split("/").slice(1);
  if (more.length === 0 && room === "traces" && first && second === undefined)
    return { view: "trace", traceId: first.toLowerCase(), query };
  if (more.length === 0 && room === "diff" && first && second)
    return { view: "diff", left: first.toLowerCase(), right: second.toLowerCase(), query };
  return { view: "unknown", path: address.pathname };
}

/** The address of a trace, or of one span of it. */
export function tracePath(traceId: string, spanId?: string | null): string {
  return `/traces/${traceId}${spanId ? `?span=${spanId}` : ""}`;
}

/** The address of two traces side by side. */
export function diffPath(left: string, right: string, query = new URLSearchParams()): string {
  const text = query.toString();
  return `/diff/${left}/${right}${text && `?${text}`}`;
}

/** How one goes: to another place, or on where one is; or so that Back doesn't return here. */
export type Going = "push" | "stay" | "replace";

/** Goes to `path`. With `stay` the page isn't scrolled to its top. */
export function go(path: string, how: Going = "push"): void {
  if (how === "replace") history.replaceState(null, "", path);
  else history.pushState(null, "", path);
  if (how === "push") scrollTo(0, 0);
  dispatchEvent(new Event(MOVED));
}

/** The current route; renders again when it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location));
  // Before the first paint: a link can be followed as soon as it is seen.
  useLayoutEffect(() => {
    const update = () => setRoute(routeOf(location));
    addEventListener("popstate", update);
    addEventListener(MOVED, update);
    return () => {
      removeEventListener("popstate", update);
      removeEventListener(MOVED, update);
    };
  }, []);
  return route;
}

/** Lets a plain left click on a link of this site move without loading; other clicks pass. */
export function followLink(event: MouseEvent): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return;
  const link = event.currentTarget as HTMLAnchorElement;
  event.preventDefault();
  go(link.pathname + link.search);
}
