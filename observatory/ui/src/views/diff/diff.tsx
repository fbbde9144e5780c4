/** The diff view: two traces aligned step by step, with the steps that differ marked. */
import "../trace/waterfall.css";
import "../trace/legend.css";
import "../trace/summary.css";
import "../trace/actions.css";
import "./diff.css";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { fetchDiff } from "../../api/requests";
import type { Diff, DiffRow } from "../../api/types";
import { ErrorState } from "../../components/error_state";
import { count } from "../../format";
import { useTitle } from "../../hooks/document_title";
import { usePolling } from "../../hooks/polling";
import { useShortcuts } from "../../hooks/shortcuts";
import { diffPath, followLink, go, tracePath } from "../../navigation/route";
import { sameSelection } from "../../navigation/selection";
import { useRowPx, useVisibleRows } from "../../scrolling/window_rows";
import { Axis } from "../trace/axis";
import { GridLines } from "../trace/grid_lines";
import { type Range, ticksOf, within } from "../trace/time_scale";
import { ComparedTraces } from "./compared_traces";
import { PairRow, pairId } from "./diff_row";
import { countByVerdict, differing, longestMs } from "./differences";

const PAUSE_MS = 15_000;
const ROW_PX = 34;
const NARROW_ROW_PX = 56;
const TICKS = 6;
const PAGE = 12;

interface Props {
  left: string;
  right: string;
  query: URLSearchParams;
}

export function DiffView({ left, right, query }: Props) {
  const corrected = query.get("correct_skew") === "1";
  const live = usePolling(
    `${left} ${right}${corrected ? " corrected" : ""}`,
    (signal) => fetchDiff(left, right, corrected, signal),
    () => PAUSE_MS,
    true,
  );
  const { answer } = live;
  const only = query.get("only") === "1";
  const toggle = () => go(diffPath(left, right, diffQuery(!only, corrected)), "replace");
  const swap = () => go(diffPath(right, left, diffQuery(only, corrected)), "replace");
  const correct = () => go(diffPath(left, right, diffQuery(only, !corrected)), "replace");
  useShortcuts({ d: toggle, s: swap });
  useTitle("Compare traces");
  return (
    <>
      <div class="trace-top">
        <a class="back" href={sameSelection("/", query)} onClick={followLink}>
          ← All traces
        </a>
        <div class="trace-actions">
          <button type="button" class="button" onClick={swap}>
            Swap<span class="wide"> left and right</span>
          </button>
        </div>
      </div>
      {answer === null && <h1 class="unseen">Compare traces</h1>}
      <ErrorState
        request={live}
        loading="Comparing the traces…"
        refused="These traces can't be compared"
      />
      {answer !== null && (
        <LoadedDiff
          diff={answer}
          only={only}
          corrected={corrected}
          onOnly={toggle}
          onCorrected={correct}
        />
      )}
    </>
  );
}

function diffQuery(only: boolean, corrected: boolean): URLSearchParams {
  const query = new URLSearchParams();
  if (only) query.set("only", "1");
  if (corrected) query.set("correct_skew", "1");
  return query;
}

interface LoadedDiffProps {
  diff: Diff;
  only: boolean;
  corrected: boolean;
  onOnly: () => void;
  onCorrected: () => void;
}

function LoadedDiff({ diff, only, corrected, onOnly, onCorrected }: LoadedDiffProps) {
  const rows = useMemo(() => (only ? differing(diff.rows) : diff.rows), [diff, only]);
  const counts = useMemo(() => countByVerdict(diff.rows), [diff]);
  return (
    <>
      <ComparedTraces diff={diff} />
      <section class="waterfall diff panel" aria-labelledby="pairs-title">
        <div class="waterfall-head">
          <h2 id="pairs-title">Step by step</h2>
          <p class="counts">
            {(["missing", "added", "slower", "faster"] as const).map(
              (verdict) =>
                counts[verdict] > 0 && (
                  <span key={verdict} class={`of-${verdict}`}>
                    {counts[verdict]} {verdict}
                  </span>
                ),
            )}
            <span>{counts.same} the same</span>
          </p>
          {(diff.skewed || corrected) && (
            <label class="only">
              <input type="checkbox" checked={corrected} onChange={onCorrected} />
              Correct clock skew
            </label>
          )}
          <label class="only">
            <input type="checkbox" checked={only} onChange={onOnly} />
            Only differences
          </label>
        </div>
        {rows.length > 0 ? (
          <Pairs diff={diff} rows={rows} />
        ) : (
          <p class="empty">
            Both traces have the same {count(diff.rows.length, "step")}, and each took about as
            long.
          </p>
        )}
      </section>
    </>
  );
}

function Pairs({ diff, rows }: { diff: Diff; rows: readonly DiffRow[] }) {
  const [selected, setSelected] = useState<number | null>(null);
  const [zoom, setZoom] = useState<Range | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const rowPx = useRowPx(ROW_PX, NARROW_ROW_PX);
  const visible = useVisibleRows(list, rows.length, rowPx);
  const total = longestMs(diff);
  const range = (zoom && within(zoom, total)) ?? { from: 0, to: total };
  const ticks = ticksOf(range, TICKS);
  const at = selected === null ? -1 : Math.min(selected, rows.length - 1);
  // Polling returns the same rows every few seconds; the selection is kept unless they change.
  useLayoutEffect(() => setSelected(null), [diff.left.trace_id, diff.right.trace_id, rows.length]);
  useEffect(() => {
    document.getElementById(pairId(at))?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = rowAfterKey(event.key, at, rows.length);
    if (target !== null) setSelected(target);
    else if (event.key === "Enter") open(rows[at], event.shiftKey);
    else if (event.key === "Escape") setSelected(null);
    else if (event.key === "0") setZoom(null);
    else return;
    event.preventDefault();
  };
  /** Open the step in the right trace; in the left one with Shift, or if the right one lacks it. */
  const open = (row: DiffRow | undefined, preferLeft: boolean) => {
    const isLeft = row?.left && (preferLeft || !row.right);
    const side = isLeft ? row.left : row?.right;
    if (side) go(tracePath((isLeft ? diff.left : diff.right).trace_id, side.span_id));
  };
  const indexes = Array.from({ length: visible.end - visible.first }, (_, i) => visible.first + i);
  if (at >= 0 && (at < visible.first || at >= visible.end)) indexes.push(at);
  return (
    <>
      <div class="sticky">
        <Axis
          range={range}
          ticks={ticks}
          columns={["left", "right", "difference"]}
          onRange={(next) => setZoom(next && within(next, total))}
        />
      </div>
      <div
        class="rows"
        role="treegrid"
        aria-label="Steps of both traces"
        aria-rowcount={rows.length}
        aria-activedescendant={at >= 0 ? pairId(at) : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
      >
        <GridLines range={range} ticks={ticks} />
        <div class="row-list" ref={list} style={{ height: `${rows.length * rowPx}px` }}>
          {indexes.map((index) => {
            const row = rows[index];
            return (
              row && (
                <PairRow
                  key={`${index} ${row.key}`}
                  row={row}
                  index={index}
                  rowPx={rowPx}
                  range={range}
                  left={diff.left.trace_id}
                  right={diff.right.trace_id}
                  selected={index === at}
                  onSelect={setSelected}
                />
              )
            );
          })}
        </div>
      </div>
      <p class="hint">
        <kbd>↑</kbd> <kbd>↓</kbd> move · <kbd>Enter</kbd> open in the right trace, <kbd>Shift</kbd>{" "}
        <kbd>Enter</kbd> in the left one · <kbd>d</kbd> only differences · <kbd>s</kbd> swap
      </p>
    </>
  );
}

function rowAfterKey(key: string, at: number, length: number): number | null {
  const to = (index: number) => Math.max(0, Math.min(index, length - 1));
  switch (key) {
    case "ArrowDown":
      return to(at + 1);
    case "ArrowUp":
      return at < 0 ? length - 1 : to(at - 1);
    case "PageDown":
      return to(at + PAGE);
    case "PageUp":
      return to(at - PAGE);
    case "Home":
      return 0;
    case "End":
      return length - 1;
    default:
      return null;
  }
}
