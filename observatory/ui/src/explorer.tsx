/** The frame around every view. */
import { TraceListView } from "./list/list";
import { Notice } from "./notice";
import { followLink, type Route, useRoute } from "./route";
import { TraceView } from "./trace/trace";

export function Explorer() {
  const route = useRoute();
  return (
    <>
      <header class="top">
        <a class="brand" href="/" onClick={followLink}>
          <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
            <path class="stroke-page" d="M2 5h7" />
            <path class="stroke-function" d="M6 10h8" />
            <path class="stroke-vendor" d="M11 15h7" />
          </svg>
          Observatory
        </a>
        <nav aria-label="Views">
          <a
            href="/"
            onClick={followLink}
            aria-current={route.view === "list" ? "page" : undefined}
          >
            Traces
          </a>
        </nav>
      </header>
      <main>
        <View route={route} />
      </main>
    </>
  );
}

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "list":
      return <TraceListView text={route.text} />;
    case "trace":
      return <TraceView key={route.traceId} traceId={route.traceId} spanId={route.spanId} />;
    case "unknown":
      return (
        <Notice title="There is no such view">
          <p>
            <code>{route.path}</code> names none. <a href="/">See the traces.</a>
          </p>
        </Notice>
      );
  }
}
