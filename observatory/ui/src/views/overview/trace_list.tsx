/** The list of traces, kept up to date, in which two can be selected for a comparison. */
import "./trace_list.css";
import { useEffect, useState } from "preact/hooks";
import { exportPath, fetchTraces, SORTS, type TraceListing } from "../../api/requests";
import type { Sort, TraceList } from "../../api/types";
import { count } from "../../format";
import { usePolling } from "../../hooks/polling";
import { diffPath, go, tracePath } from "../../navigation/route";
import {
  address,
  isLive,
  type Selection,
  sameSelection,
  selectionParameters,
} from "../../navigation/selection";
import type { Subset } from "./subset";
import { alignedColumns, columnsThatFit } from "./time_columns";
import { TraceTable } from "./trace_table";

const LIVE_PAUSE_MS = 1_000;
const PAUSED_PAUSE_MS = 10_000;
const PAGE_SIZE = 50;
const SELECTED_MAX = 2;

interface Props {
  query: URLSearchParams;
  selection: Selection;
  /** The kind of the compared subset that the list is restricted to; null for all traces. */
  subsetKind: Subset["kind"] | null;
}

export function TraceListPanel({ query, selection, subsetKind }: Props) {
  const listing = listingOf(query);
  const key = `${selectionParameters(selection)} ${selection.range.kind} ${listing.sort} ${listing.order}`;
  const { answer, further, stale, more, failed } = usePages(key, selection, listing);
  const [selected, setSelected] = useState<string[]>([]);
  const traces = answer ? [...answer.traces, ...further] : [];
  const toggle = (traceId: string) =>
    setSelected((before) =>
      before.includes(traceId)
        ? before.filter((id) => id !== traceId)
        : [...before, traceId].slice(-SELECTED_MAX),
    );
  const sortBy = (sort: Sort) => {
    const changed = new URLSearchParams(query);
    const direction = sort === listing.sort && listing.order === "desc" ? "asc" : "desc";
    changed.set("sort", sort);
    changed.set("order", direction);
    go(address("/", changed), "stay");
  };
  return (
    <section class="panel trace-list" aria-labelledby="trace-list-title">
      <header>
        <h2 id="trace-list-title">{TITLES[subsetKind ?? "all"]}</h2>
        <p>
          {answer && count(answer.total, "trace")}
          {further.length > 0 && ". The list is paused."}
        </p>
        {answer && answer.total > 0 && (
          <a
            href={exportPath(selectionParameters(selection))}
            download
            title="As OTLP/JSON, which Jaeger 1.55 and later can open"
          >
            Download
          </a>
        )}
      </header>
      {answer && (
        <TraceTable
          traces={traces}
          sort={listing.sort}
          order={listing.order}
          onSort={sortBy}
          selected={selected}
          onSelect={toggle}
          pathOf={(traceId) => sameSelection(tracePath(traceId), query)}
        />
      )}
      {answer?.total === 0 && (
        <p class="none">No trace matches. Clear the comparison, or draw another box.</p>
      )}
      {failed && (
        <p class="banner bad" role="alert">
          {failed}
        </p>
      )}
      {answer && answer.total > 0 && (
        <p class="more">
          {traces.length.toLocaleString("en")} of {count(answer.total, "trace")}
          {more && (
            <button type="button" disabled={stale} onClick={more}>
              Show more
            </button>
          )}
        </p>
      )}
      <Selected selected={selected} onClear={() => setSelected([])} />
    </section>
  );
}

const TITLES = { all: "Traces", box: "Traces in the box", filter: "Compared traces" };

function Selected({ selected, onClear }: { selected: string[]; onClear: () => void }) {
  const [left, right] = selected;
  return (
    <div class="selected-traces panel" role="status" hidden={selected.length === 0}>
      {right === undefined ? (
        <span>One trace is selected. Select another to compare it with.</span>
      ) : (
        <button type="button" class="main" onClick={() => go(diffPath(left ?? "", right))}>
          Compare the two traces
        </button>
      )}
      <button type="button" class="as-link" onClick={onClear}>
        Clear
      </button>
    </div>
  );
}

function listingOf(query: URLSearchParams): Pick<TraceListing, "sort" | "order"> {
  return {
    sort: SORTS.find((sort) => sort === query.get("sort")) ?? "start",
    order: query.get("order") === "asc" ? "asc" : "desc",
  };
}

/** Return the first page, kept up to date until the reader requests more, and the further pages. */
function usePages(
  key: string,
  selection: Selection,
  listing: Pick<TraceListing, "sort" | "order">,
) {
  const [pages, setPages] = useState<{ key: string; lists: TraceList[] }>({ key, lists: [] });
  const [failed, setFailed] = useState<string | null>(null);
  const further = pages.key === key ? pages.lists : [];
  const fetchPage = (cursor: string | null, signal: AbortSignal) => {
    const { range } = alignedColumns(selection.range, columnsThatFit(innerWidth), Date.now());
    const parameters = selectionParameters({ ...selection, range });
    return fetchTraces(parameters, { ...listing, limit: PAGE_SIZE, cursor }, signal);
  };
  const paused = further.length > 0;
  const { answer, failure, stale } = usePolling(
    key,
    (signal) => fetchPage(null, signal),
    () => (isLive(selection.range) ? LIVE_PAUSE_MS : PAUSED_PAUSE_MS),
    true,
    paused,
  );
  useEffect(() => setFailed(null), [key]);
  const last = further.at(-1) ?? answer;
  const cursor = last?.next_cursor ?? null;
  const more = async () => {
    try {
      const list = await fetchPage(cursor, new AbortController().signal);
      setPages({ key, lists: [...further, list] });
      setFailed(null);
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    }
  };
  return {
    answer,
    // A cursor is only valid for the sort order of its page.
    stale,
    further: further.flatMap(({ traces }) => traces),
    more: cursor === null ? null : () => void more(),
    failed: failed ?? (failure?.kind === "refused" ? failure.message : null),
  };
}
