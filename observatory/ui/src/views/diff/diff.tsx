/** Two traces side by side, aligned by hop: what is missing, added, slower, faster. */
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
import { useRowPx, useVisible } from "../../scrolling/window_rows";
import { Axis } from "../trace/axis";
import { GridLines } from "../trace/grid_lines";
import { type Range, ticksOf, within } from "../trace/time_scale";
import { ComparedTraces } from "./compared_traces";
import { PairRow, pairId } from "./diff_row";
import { differing, tally, wholeMs } from "./differences";

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
  const toggle = () => go(diffPath(left, right, told(!only, corrected)), "replace");
  const swap = () => go(diffPath(right, left, told(only, corrected)), "replace");
  const correct = () => go(diffPath(left, right, told(only, !corrected)), "replace");
  useShortcuts({ d: toggle, s: swap });
  useTitle("Two traces");
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
      {answer === null && <h1 class="unseen">Two traces</h1>}
      <ErrorState
        live={live}
        asking="Putting them side by side…"
        refused="These two can't be compared"
      />
      {answer !== null && (
        <Both
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

function told(only: boolean, corrected: boolean): URLSearchParams {
  const query = new URLSearchParams();
  if (only) query.set("only", "1");
  if (corrected) query.set("correct_skew", "1");
  return query;
}

interface BothProps {
  diff: Diff;
  only: boolean;
  corrected: boolean;
  onOnly: () => void;
  onCorrected: () => void;
}

function Both({ diff, only, corrected, onOnly, onCorrected }: BothProps) {
  const rows = useMemo(() => (only ? differing(diff.rows) : diff.rows), [diff, only]);
  const counts = useMemo(() => tally(diff.rows), [diff]);
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
              Clocks set right
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
          <p class="nothing">
            Each of the {count(diff.rows.length, "step")} is in both, and took about as long.
          </p>
        )}
      </section>
    </>
  );
}

function Pairs({ diff, rows }: { diff: Diff; rows: readonly DiffRow[] }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const [zoom, setZoom] = useState<Range | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const rowPx = useRowPx(ROW_PX, NARROW_ROW_PX);
  const visible = useVisible(list, rows.length, rowPx);
  const total = wholeMs(diff);
  const range = (zoom && within(zoom, total)) ?? { from: 0, to: total };
  const ticks = ticksOf(range, TICKS);
  const at = chosen === null ? -1 : Math.min(chosen, rows.length - 1);
  // An answer that comes again, as it does every few seconds, has the same rows.
  useLayoutEffect(() => setChosen(null), [diff.left.trace_id, diff.right.trace_id, rows.length]);
  useEffect(() => {
    document.getElementById(pairId(at))?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = moved(event.key, at, rows.length);
    if (to !== null) setChosen(to);
    else if (event.key === "Enter") open(rows[at], event.shiftKey);
    else if (event.key === "Escape") setChosen(null);
    else if (event.key === "0") setZoom(null);
    else return;
    event.preventDefault();
  };
  /** The right trace at that step; with Shift, or where it isn't there, the left one. */
  const open = (row: DiffRow | undefined, wantsLeft: boolean) => {
    const isLeft = row?.left && (wantsLeft || !row.right);
    const side = isLeft ? row.left : row?.right;
    if (side) go(tracePath((isLeft ? diff.left : diff.right).trace_id, side.span_id));
  };
  const indexes = Array.from({ length: visible.last - visible.first }, (_, i) => visible.first + i);
  if (at >= 0 && (at < visible.first || at >= visible.last)) indexes.push(at);
  return (
    <>
      <div class="sticky">
        <Axis
          range={range}
          ticks={ticks}
          columns={["left", "right", "differs by"]}
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
                  chosen={index === at}
                  onChoose={setChosen}
                />
              )
            );
          })}
        </div>
      </div>
      <p class="hint">
        <kbd>↑</kbd> <kbd>↓</kbd> move · <kbd>Enter</kbd> open on the right, <kbd>Shift</kbd>{" "}
        <kbd>Enter</kbd> on the left · <kbd>d</kbd> only differences · <kbd>s</kbd> swap
      </p>
    </>
  );
}

function moved(key: string, at: number, length: number): number | null {
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
