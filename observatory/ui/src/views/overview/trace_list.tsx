/** The traces themselves, live; two of them can be chosen to be compared. */
import "./trace_list.css";
import { useEffect, useState } from "preact/hooks";
import { fetchTraces, SORTS, type TraceListing } from "../../api/requests";
import type { Sort, TraceList } from "../../api/types";
import { count } from "../../format";
import { usePolling } from "../../hooks/polling";
import { go, tracePath } from "../../navigation/route";
import {
  address,
  isLive,
  type Selection,
  sameSelection,
  selectionParameters,
} from "../../navigation/selection";
import type { Subset } from "./subset";
import { columnsThatFit, alignedColumns } from "./time_columns";
import { TraceTable } from "./trace_table";

const LIVE_PAUSE_MS = 1_000;
const HELD_PAUSE_MS = 10_000;
const PAGE_SIZE = 50;
const CHOSEN_MOST = 2;

interface Props {
  query: URLSearchParams;
  selection: Selection;
  /** Whether the selection is the part that is compared. */
  of: Subset["kind"] | null;
}

export function TraceListPanel({ query, selection, of }: Props) {
  const listing = listingOf(query);
  const key = `${selectionParameters(selection)} ${selection.range.kind} ${listing.sort} ${listing.order}`;
  const { answer, further, stale, more, failed } = usePages(key, selection, listing);
  const [chosen, setChosen] = useState<string[]>([]);
  const traces = answer ? [...answer.traces, ...further] : [];
  const choose = (traceId: string) =>
    setChosen((before) =>
      before.includes(traceId)
        ? before.filter((each) => each !== traceId)
        : [...before, traceId].slice(-CHOSEN_MOST),
    );
  const sortBy = (sort: Sort) => {
    const changed = new URLSearchParams(query);
    const turned = sort === listing.sort && listing.order === "desc" ? "asc" : "desc";
    changed.set("sort", sort);
    changed.set("order", turned);
    go(address("/", changed), "stay");
  };
  return (
    <section class="panel trace-list" aria-labelledby="trace-list-title">
      <header>
        <h2 id="trace-list-title">{TITLES[of ?? "all"]}</h2>
        <p>
          {answer && count(answer.total, "trace")}
          {further.length > 0 && ". The list is held still."}
        </p>
        {answer && answer.total > 0 && (
          <a
            href={`/api/export?${selectionParameters(selection)}`}
            download
            title="As OTLP/JSON; Jaeger's upload takes it since version 1.55"
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
          chosen={chosen}
          onChoose={choose}
          pathOf={(traceId) => sameSelection(tracePath(traceId), query)}
        />
      )}
      {answer?.total === 0 && <p class="none">None any more. Clear the box, or draw another.</p>}
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
      <Chosen chosen={chosen} onClear={() => setChosen([])} />
    </section>
  );
}

const TITLES = { all: "Traces", box: "Traces in the box", filter: "Traces that are compared" };

function Chosen({ chosen, onClear }: { chosen: string[]; onClear: () => void }) {
  const [left, right] = chosen;
  return (
    <div class="chosen panel" role="status" hidden={chosen.length === 0}>
      {right === undefined ? (
        <span>One trace is chosen. Choose another to compare it with.</span>
      ) : (
        <button type="button" class="main" onClick={() => go(`/diff/${left}/${right}`)}>
          Compare these two
        </button>
      )}
      <button type="button" class="as-link" onClick={onClear}>
        Choose none
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

/** The first page, kept up to date until one asks for more, and what was asked for since. */
function usePages(
  key: string,
  selection: Selection,
  listing: Pick<TraceListing, "sort" | "order">,
) {
  const [pages, setPages] = useState<{ key: string; lists: TraceList[] }>({ key, lists: [] });
  const [failed, setFailed] = useState<string | null>(null);
  const further = pages.key === key ? pages.lists : [];
  const ask = (cursor: string | null, signal: AbortSignal) => {
    const { range } = alignedColumns(selection.range, columnsThatFit(innerWidth), Date.now());
    const asked = selectionParameters({ ...selection, range });
    return fetchTraces(asked, { ...listing, limit: PAGE_SIZE, cursor }, signal);
  };
  const held = further.length > 0;
  const { answer, failure, stale } = usePolling(
    key,
    (signal) => ask(null, signal),
    () => (isLive(selection.range) ? LIVE_PAUSE_MS : HELD_PAUSE_MS),
    true,
    held,
  );
  useEffect(() => setFailed(null), [key]);
  const last = further.at(-1) ?? answer;
  const cursor = last?.next_cursor ?? null;
  const more = async () => {
    try {
      const list = await ask(cursor, new AbortController().signal);
      setPages({ key, lists: [...further, list] });
      setFailed(null);
    } catch (error) {
      setFailed(error instanceof Error ? error.message : String(error));
    }
  };
  return {
    answer,
    // A cursor goes on from a page of the order it came with.
    stale,
    further: further.flatMap(({ traces }) => traces),
    more: cursor === null ? null : () => void more(),
    failed: failed ?? (failure?.kind === "refused" ? failure.message : null),
  };
}
