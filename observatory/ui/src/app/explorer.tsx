/** The page: header, navigation and the current view. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Notice } from "../components/notice";
import { type FaultFlags, useFaultFlags } from "../hooks/fault_flags";
import { useShortcuts } from "../hooks/shortcuts";
import { followLink, go, type Route, useRoute, VIEWS } from "../navigation/route";
import { sameSelection, selectionOf } from "../navigation/selection";
import { OverviewView } from "../views/overview/overview";
import { CatchingUp } from "./catching_up";
import { CopyLink } from "./copy_link";
import { FaultsBadge } from "./faults_badge";
import { FilterBox } from "./filter_box";
import { Help } from "./help";
import { lazy } from "./lazy";
import { RangePicker } from "./range_picker";
import { ThemeSwitch } from "./theme_switch";

// The overview is what people open first; the code of other views is loaded on demand.
const MapView = lazy(() => import("../views/map/map").then((module) => module.MapView));
const LogsView = lazy(() => import("../views/logs/logs").then((module) => module.LogsView));
const MetricsView = lazy(() =>
  import("../views/metrics/metrics").then((module) => module.MetricsView),
);
const AskView = lazy(() => import("../views/ask/ask").then((module) => module.AskView));
const StorageView = lazy(() =>
  import("../views/storage/storage").then((module) => module.StorageView),
);
const FaultsView = lazy(() => import("../views/faults/faults").then((module) => module.FaultsView));
const TraceView = lazy(() => import("../views/trace/trace").then((module) => module.TraceView));
const DiffView = lazy(() => import("../views/diff/diff").then((module) => module.DiffView));

const PRELOAD_MS = 1_500;

export function Explorer() {
  const route = useRoute();
  const main = useRef<HTMLElement>(null);
  const query = route.view === "unknown" ? new URLSearchParams() : route.query;
  const listedView = VIEWS.find(({ view }) => view === route.view);
  const bar = listedView?.bar ?? "none";
  // The address of a trace has no selection; links from there go back to the last one.
  const lastQuery = useRef(query);
  if (listedView) lastQuery.current = query;
  const selection = selectionOf(query);
  const faultFlags = useFaultFlags();
  const viewKey = route.view === "trace" ? route.traceId : route.view;
  useShortcuts({
    "g o": () => go(sameSelection("/", lastQuery.current)),
    "g m": () => go(sameSelection("/map", lastQuery.current)),
    "g l": () => go(sameSelection("/logs", lastQuery.current)),
    "g f": () => go(sameSelection("/faults", lastQuery.current)),
  });
  useFocusOnNavigation(viewKey, main);
  useEffect(() => {
    const timer = setTimeout(TraceView.preload, PRELOAD_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <a class="brand" href={sameSelection("/", lastQuery.current)} onClick={followLink}>
          <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
            <path class="stroke-page" d="M2 5h7" />
            <path class="stroke-function" d="M6 10h8" />
            <path class="stroke-vendor" d="M11 15h7" />
          </svg>
          Observatory
        </a>
        <nav aria-label="Views">
          {VIEWS.map(({ view, path, title }) => (
            <a
              key={view}
              href={sameSelection(path, lastQuery.current)}
              onClick={followLink}
              aria-current={route.view === view ? "page" : undefined}
            >
              {title}
            </a>
          ))}
        </nav>
        {bar !== "none" && (
          <div class="select-bar">
            {bar === "filter" && <FilterBox q={selection.q} />}
            <RangePicker range={selection.range} />
          </div>
        )}
        <div class="tools">
          <FaultsBadge
            faults={faultFlags.answer?.faults ?? []}
            path={sameSelection("/faults", lastQuery.current)}
          />
          <CopyLink
            path={location.pathname}
            query={query}
            selection={bar === "none" ? null : selection}
          />
          <ThemeSwitch />
          <Help />
        </div>
      </header>
      <main id="content" ref={main} tabIndex={-1}>
        <CatchingUp />
        <View route={route} faultFlags={faultFlags} />
      </main>
    </>
  );
}

/** Move the focus to the content when the view changes, as loading a page would. */
function useFocusOnNavigation(viewKey: string, main: { current: HTMLElement | null }): void {
  const before = useRef(viewKey);
  // A layout effect: a plain one runs after the paint, when the reader may have clicked elsewhere.
  useLayoutEffect(() => {
    if (before.current !== viewKey) main.current?.focus({ preventScroll: true });
    before.current = viewKey;
  }, [viewKey]);
}

function View({ route, faultFlags }: { route: Route; faultFlags: FaultFlags }) {
  switch (route.view) {
    case "overview":
      return <OverviewView query={route.query} />;
    case "map":
      return <MapView query={route.query} />;
    case "logs":
      return <LogsView query={route.query} />;
    case "metrics":
      return <MetricsView query={route.query} />;
    case "ask":
      return <AskView query={route.query} />;
    case "storage":
      return <StorageView query={route.query} />;
    case "faults":
      return <FaultsView faultFlags={faultFlags} />;
    case "trace":
      return <TraceView key={route.traceId} traceId={route.traceId} query={route.query} />;
    case "diff":
      return <DiffView left={route.left} right={route.right} query={route.query} />;
    case "unknown":
      return (
        <Notice title="Page not found" level={1}>
          <p>
            The explorer has no page at <code>{route.path}</code>.
          </p>
          <p>
            <a href="/" onClick={followLink}>
              Go to the overview
            </a>
          </p>
        </Notice>
      );
  }
}
