/** Which view the address names, and how to move to another without loading the page again. */
import { useEffect, useState } from "preact/hooks";

export type Route =
  | { view: "list"; text: string }
  | { view: "trace"; traceId: string; spanId: string | null }
  | { view: "unknown"; path: string };

const MOVED = "observatory:moved";

/** Reads `/?q=TEXT` and `/traces/TRACE_ID?span=SPAN_ID`. */
export function routeOf(address: { pathname: string; search: string }): Route {
  const query = new URLSearchParams(address.search);
  if (address.pathname === "/") return { view: "list", text: query.get("q") ?? "" };
  const traceId = /^\/traces\/([^/]+)\/?$/.exec(address.pathname)?.[1];
  if (traceId === undefined) return { view: "unknown", path: address.pathname };
  return { view: "trace", traceId: traceId.toLowerCase(), spanId: query.get("span") };
}

/** The address of a trace, or of one span of it. */
export function tracePath(traceId: string, spanId?: string | null): string {
  return `/traces/${traceId}${spanId ? `?span=${spanId}` : ""}`;
}

/** Goes to `path`. With `replace`, Back doesn't return to where one was. */
export function go(path: string, how: "push" | "replace" = "push"): void {
  if (how === "push") {
    history.pushState(null, "", path);
    scrollTo(0, 0);
  } else {
    history.replaceState(null, "", path);
  }
  dispatchEvent(new Event(MOVED));
}

/** The current route; renders again when it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location));
  useEffect(() => {
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
