/** Everything at a glance: figures, the heatmap, what stands out, and the traces. */
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
import { type Box, type Subset, subsetFrom, selectionOfSubset, withSubset } from "./subset";
import { columnsThatFit, alignedColumns } from "./time_columns";
import { TraceListPanel } from "./trace_list";

const ROWS = 20;
const LIVE_PAUSE_MS = 1_000;
const HELD_PAUSE_MS = 10_000;

export function OverviewView({ query }: { query: URLSearchParams }) {
  const selection = selectionOf(query);
  const most = useColumns();
  const { answer: heatmap, failure } = usePolling(
    `${withSelection(new URLSearchParams(), selection)} ${most}`,
    (signal) => {
      const { range, columns } = alignedColumns(selection.range, most, Date.now());
      const asked = selectionParameters({ ...selection, range });
      return fetchHeatmap(asked, { columns, rows: ROWS }, signal);
    },
    () => (isLive(selection.range) ? LIVE_PAUSE_MS : HELD_PAUSE_MS),
    true,
  );
  useTitle("Overview");
  return (
    <>
      <h1 class="unseen">Overview</h1>
      <Shown query={query} selection={selection} heatmap={heatmap} failure={failure} />
    </>
  );
}

interface ShownProps {
  query: URLSearchParams;
  selection: Selection;
  heatmap: Heatmap | null;
  failure: ApiFailure | null;
}

function Shown({ query, selection, heatmap, failure }: ShownProps) {
  const subset = subsetFrom(query);
  const onFilter = (filter: string) => select({ q: bothFilters(selection.q, filter) });
  if (failure?.code === "bad_filter")
    return (
      <Notice title="The filter can't be read">
        <p>What is wrong with it is marked above.</p>
        <p class="choices">
          <button type="button" onClick={() => select({ q: "" })}>
            Clear the filter
          </button>
        </p>
      </Notice>
    );
  if (failure?.kind === "refused")
    return (
      <Notice title="That can't be shown" tone="bad">
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
            of={subset?.kind ?? null}
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
  // Where a box held the time still, clearing it lets it go on.
  const before = useRef<{ held: string; range: Range } | null>(null);
  const compare = (subset: Subset | null) => {
    const changed = withSubset(query, subset);
    if (subset?.kind === "box" && isLive(range)) {
      const held: Range = { kind: "between", from: heatmap.from_ms, to: heatmap.to_ms };
      before.current = { held: JSON.stringify(held), range };
      go(address("/", withSelection(changed, { ...selection, range: held })), "stay");
    } else if (subset === null && before.current?.held === JSON.stringify(range)) {
      go(
        address("/", withSelection(changed, { ...selection, range: before.current.range })),
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
        onOpen={(box) => void openOnly(selection, box)}
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

/** Opens the first trace in a box that has one. */
async function openOnly(selection: Selection, box: Box): Promise<void> {
  const asked = selectionParameters(selectionOfSubset(selection, { kind: "box", box }));
  const listing = { sort: "start", order: "desc", limit: 1 } as const;
  const { traces } = await fetchTraces(asked, listing, new AbortController().signal);
  if (traces[0]) go(tracePath(traces[0].trace_id));
}

function useColumns(): number {
  const [columns, setColumns] = useState(() => columnsThatFit(innerWidth));
  useLayoutEffect(() => {
    const update = () => setColumns(columnsThatFit(innerWidth));
    addEventListener("resize", update);
    return () => removeEventListener("resize", update);
  }, []);
  return columns;
}
