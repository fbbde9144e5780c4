/** The Overview: figures, heatmap, comparison and list of traces. */
import "./overview.css";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ApiFailure } from "../../api/client";
import { fetchHeatmap, fetchTraces } from "../../api/requests";
import type { Heatmap } from "../../api/types";
import { Notice, Unreachable } from "../../components/notice";
import { useTitle } from "../../hooks/document_title";
import { usePolling } from "../../hooks/polling";
import { useShortcuts } from "../../hooks/shortcuts";
import { go, tracePath } from "../../navigation/route";
import {
  address,
  bothFilters,
  isLive,
  type Range,
  type Selection,
  select,
  selectionOf,
  selectionParameters,
  withSelection,
} from "../../navigation/selection";
import { ComparePanel } from "./compare_panel";
import { EmptyState, LoadingState } from "./empty_state";
import { Figures } from "./figures";
import { HeatmapPanel } from "./heatmap";
import { type Box, type Subset, selectionOfSubset, subsetFrom, withSubset } from "./subset";
import { alignedColumns, columnsThatFit } from "./time_columns";
import { TraceListPanel } from "./trace_list";

const ROWS = 20;
const LIVE_PAUSE_MS = 1_000;
const PAUSED_PAUSE_MS = 10_000;

export function OverviewView({ query }: { query: URLSearchParams }) {
  const selection = selectionOf(query);
  const columnsMax = useColumns();
  const { answer: heatmap, failure } = usePolling(
    `${withSelection(new URLSearchParams(), selection)} ${columnsMax}`,
    (signal) => {
      const { range, columns } = alignedColumns(selection.range, columnsMax, Date.now());
      const parameters = selectionParameters({ ...selection, range });
      return fetchHeatmap(parameters, { columns, rows: ROWS }, signal);
    },
    () => (isLive(selection.range) ? LIVE_PAUSE_MS : PAUSED_PAUSE_MS),
    true,
  );
  useTitle("Overview");
  return (
    <>
      <h1 class="unseen">Overview</h1>
      <OverviewContent query={query} selection={selection} heatmap={heatmap} failure={failure} />
    </>
  );
}

interface OverviewContentProps {
  query: URLSearchParams;
  selection: Selection;
  heatmap: Heatmap | null;
  failure: ApiFailure | null;
}

function OverviewContent({ query, selection, heatmap, failure }: OverviewContentProps) {
  const subset = subsetFrom(query);
  const onFilter = (filter: string) => select({ q: bothFilters(selection.q, filter) });
  if (failure?.code === "bad_filter")
    return (
      <Notice title="The filter is not valid">
        <p>The error is marked in the filter box above.</p>
        <p class="choices">
          <button type="button" onClick={() => select({ q: "" })}>
            Clear the filter
          </button>
        </p>
      </Notice>
    );
  if (failure?.kind === "refused")
    return (
      <Notice title="The request was refused" tone="bad">
        <p>{failure.message}</p>
      </Notice>
    );
  if (failure?.kind === "unreachable" && heatmap === null) return <Unreachable stale={false} />;
  return (
    <>
      {failure?.kind === "unreachable" && <Unreachable stale />}
      <Figures heatmap={heatmap} onFilter={onFilter} />
      {heatmap === null && <LoadingState />}
      {heatmap?.total === 0 && <EmptyState selection={selection} />}
      {heatmap !== null && heatmap.total > 0 && (
        <>
          <Panels query={query} selection={selection} subset={subset} heatmap={heatmap} />
          <TraceListPanel
            query={query}
            selection={selectionOfSubset(selection, subset)}
            subsetKind={subset?.kind ?? null}
          />
        </>
      )}
    </>
  );
}

interface PanelsProps {
  query: URLSearchParams;
  selection: Selection;
  subset: Subset | null;
  heatmap: Heatmap;
}

function Panels({ query, selection, subset, heatmap }: PanelsProps) {
  const { range } = selection;
  // Drawing a box pauses a live range; clearing the box resumes it.
  const resumable = useRef<{ paused: string; range: Range } | null>(null);
  const compare = (subset: Subset | null) => {
    const changed = withSubset(query, subset);
    if (subset?.kind === "box" && isLive(range)) {
      const paused: Range = { kind: "between", from: heatmap.from_ms, to: heatmap.to_ms };
      resumable.current = { paused: JSON.stringify(paused), range };
      go(address("/", withSelection(changed, { ...selection, range: paused })), "stay");
    } else if (subset === null && resumable.current?.paused === JSON.stringify(range)) {
      go(
        address("/", withSelection(changed, { ...selection, range: resumable.current.range })),
        "stay",
      );
    } else go(address("/", changed), "stay");
  };
  useShortcuts({ Escape: () => subset && compare(null) });
  return (
    <div class="two">
      <HeatmapPanel
        heatmap={heatmap}
        box={subset?.kind === "box" ? subset.box : null}
        onBox={(box) => compare(box && { kind: "box", box })}
        onOpen={(box) => void openOnlyTrace(selection, box)}
        asTable={query.get("as") === "table"}
        onTable={(asTable) => {
          const shown = new URLSearchParams(query);
          if (asTable) shown.set("as", "table");
          else shown.delete("as");
          go(address("/", shown), "replace");
        }}
      />
      <ComparePanel
        selection={selection}
        subset={subset}
        heatmap={heatmap}
        onFilter={(filter) => select({ q: bothFilters(selection.q, filter) }, "stay")}
        onCompare={compare}
        onCompareFilter={() => {
          const whole = withSelection(query, { ...selection, q: "" });
          const compared: Subset = { kind: "filter", filter: selection.q };
          go(address("/", withSubset(whole, compared)), "stay");
        }}
        onZoom={(part) => {
          const only = withSelection(query, selectionOfSubset(selection, part));
          go(address("/", withSubset(only, null)), "stay");
        }}
      />
    </div>
  );
}

/** Open the only trace in a box. */
async function openOnlyTrace(selection: Selection, box: Box): Promise<void> {
  const parameters = selectionParameters(selectionOfSubset(selection, { kind: "box", box }));
  const listing = { sort: "start", order: "desc", limit: 1 } as const;
  const { traces } = await fetchTraces(parameters, listing, new AbortController().signal);
  if (traces[0]) go(tracePath(traces[0].trace_id));
}

/** Return how many columns fit on the page, and render again when that changes. */
function useColumns(): number {
  const [columns, setColumns] = useState(() => columnsThatFit(innerWidth));
  useLayoutEffect(() => {
    const update = () => setColumns(columnsThatFit(innerWidth));
    addEventListener("resize", update);
    return () => removeEventListener("resize", update);
  }, []);
  return columns;
}
