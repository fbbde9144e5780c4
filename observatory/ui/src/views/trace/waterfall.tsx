/**
 * The waterfall: a row for each span, ordered by leg, on one time scale. A leg is the spans of one
 * service that one hop led to.
 */
import "./waterfall.css";
import type { RefObject } from "preact";
import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import type { MissingStep, PathSegment, Trace, Unusual } from "../../api/types";
import { useShortcuts } from "../../hooks/shortcuts";
import { useRowPx, useStableScroll } from "../../scrolling/window_rows";
import { Axis } from "./axis";
import { matchesIn, needleOf } from "./find";
import { GridLines } from "./grid_lines";
import { type Command, commandFor, errorFrom } from "./keyboard";
import { KeyboardHints, Legend } from "./legend";
import { Minimap } from "./minimap";
import { type Range, ticksOf, within, zoomed } from "./time_scale";
import { Toolbar } from "./toolbar";
import type { ViewState } from "./view_state";
import {
  ancestors,
  foldable,
  itemsOf,
  repeatHiding,
  repeatsId,
  spanIdOf,
  unusualTexts,
} from "./waterfall_items";
import { rowId } from "./waterfall_row";
import { Rows } from "./waterfall_rows";

// Smaller traces fit the screen and need no minimap.
const MINIMAP_ROWS = 80;
const ROW_PX = 28;
const NARROW_ROW_PX = 46;
// The height of the sticky header on small screens, where only the axis is sticky.
const SCALE_PX = 25;
const TICKS = 6;
const ZOOM = 2;
const COLUMNS = ["waited", "took"];

interface Props {
  trace: Trace;
  unusual: Unusual | null;
  gaps: readonly MissingStep[];
  viewState: ViewState;
  onViewState: (change: Partial<ViewState>) => void;
  /** Called when Enter is pressed on the selected row. */
  onOpen: () => void;
  grid: RefObject<HTMLDivElement | null>;
}

export function Waterfall(props: Props) {
  const { trace, unusual, gaps, viewState, onViewState, onOpen, grid } = props;
  const { rows, duration_ms: totalMs } = trace;
  const selected = viewState.span;
  const foldableIds = useMemo(() => foldable(rows), [rows]);
  const folded = useMemo(
    (): ReadonlySet<string> =>
      new Set(viewState.collapsed === "all" ? foldableIds : viewState.collapsed),
    [viewState.collapsed, foldableIds],
  );
  const opened = useMemo((): ReadonlySet<string> => new Set(viewState.opened), [viewState.opened]);
  const expanded = useMemo(
    (): ReadonlySet<string> => new Set(viewState.repeats),
    [viewState.repeats],
  );
  const list = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const finder = useRef<HTMLInputElement>(null);
  const rowPx = useRowPx(ROW_PX, NARROW_ROW_PX);

  const items = useMemo(
    () => itemsOf(rows, gaps, { folded, opened, lines: viewState.lines, expanded }, trace.repeats),
    [rows, gaps, folded, opened, viewState.lines, expanded, trace.repeats],
  );
  const indexes = useMemo(() => new Map(items.map((item, index) => [item.id, index])), [items]);
  const ids = useMemo(() => items.map((item) => item.id), [items]);
  const paths = useMemo(() => pathsOf(trace.critical_path), [trace]);
  const unusualMarks = useMemo(() => unusualTexts(rows, unusual), [rows, unusual]);
  const matches = useMemo(() => matchesIn(rows, viewState.find), [rows, viewState.find]);
  const matchOf = useMemo(() => new Map(matches.map((match) => [match.spanId, match])), [matches]);
  useStableScroll(list, ids, rowPx, selected);

  const whole = useMemo((): Range => ({ from: 0, to: totalMs }), [totalMs]);
  const range = useMemo(
    () => (viewState.range && within(viewState.range, totalMs)) ?? whole,
    [viewState.range, whole],
  );
  const ticks = ticksOf(range, TICKS);
  const at = selected === null ? -1 : (indexes.get(selected) ?? -1);

  /** Scroll a row into view, between the sticky header and the panel that may cover the bottom. */
  const reveal = (index: number, always = false) => {
    if (list.current === null || index < 0) return;
    const top = list.current.getBoundingClientRect().top + index * rowPx;
    const min = (head.current?.getBoundingClientRect().height || SCALE_PX) + rowPx;
    const max = innerHeight - (innerWidth <= 1080 ? innerHeight * 0.58 : rowPx) - rowPx;
    if (top >= min && top <= max && !always) return;
    const isFar = top < min - 12 * rowPx || top > max + 12 * rowPx;
    scrollBy(0, top - (isFar || always ? (min + max) / 2 : top < min ? min : max));
  };
  const select = useCallback((id: string | null) => onViewState({ span: id }), [onViewState]);
  const open = (spanId: string) => onViewState({ opened: [...new Set([...opened, spanId])] });
  const setFolded = (next: ReadonlySet<string>) => {
    const isAll =
      foldableIds.length > 0 &&
      next.size === foldableIds.length &&
      foldableIds.every((id) => next.has(id));
    onViewState({ collapsed: isAll ? "all" : [...next] });
  };
  useEffect(() => {
    if (selected === null) return;
    const repeat = at < 0 ? repeatHiding(rows, trace.repeats, spanIdOf(selected)) : null;
    if (repeat !== null && !expanded.has(repeat)) {
      onViewState({ repeats: [...expanded, repeat] });
      return;
    }
    // Expand the collapsed rows that hide the span, as when a link names it.
    const hiddenBy = ancestors(rows, spanIdOf(selected)).filter((spanId) => folded.has(spanId));
    if (hiddenBy.length > 0) setFolded(toggled(folded, hiddenBy));
    else if (at < 0 && /^[0-9a-f]{16}:/.test(selected)) open(spanIdOf(selected));
    else reveal(at);
  }, [selected, at >= 0]);

  useShortcuts({
    "/": () => {
      finder.current?.focus();
      finder.current?.select();
    },
  });

  const zoom = (how: "in" | "out" | "reset") => {
    const item = items[at];
    const centre = item && item.kind !== "gap" ? item.row.offset_ms : (range.from + range.to) / 2;
    if (how === "reset") onViewState({ range: null });
    else onViewState({ range: zoomed(range, totalMs, how === "in" ? 1 / ZOOM : ZOOM, centre) });
  };
  const collapse = (next: ReadonlySet<string>) => {
    setFolded(next);
    // If this hides the selected row, select the row that hides it.
    const hiddenIn = selected === null ? [] : ancestors(rows, spanIdOf(selected));
    const outermost = hiddenIn.filter((spanId) => next.has(spanId)).at(-1);
    if (outermost) select(outermost);
  };
  const latest = useRef({ folded, opened, expanded, collapse });
  latest.current = { folded, opened, expanded, collapse };
  const fold = useCallback(
    (spanId: string) => latest.current.collapse(toggled(latest.current.folded, [spanId])),
    [],
  );
  const showLines = useCallback(
    (spanId: string) => onViewState({ opened: [...toggled(latest.current.opened, [spanId])] }),
    [onViewState],
  );
  const showRepeats = useCallback(
    (spanId: string) =>
      onViewState({
        repeats: [...toggled(latest.current.expanded, [spanId])],
        span: repeatsId(spanId),
      }),
    [onViewState],
  );
  const matchAt =
    selected === null ? -1 : matches.findIndex((m) => m.spanId === spanIdOf(selected));
  const goToMatch = (step: 1 | -1) => {
    const from = matchAt < 0 && step < 0 ? 0 : matchAt;
    const match = matches[(from + step + matches.length) % matches.length];
    if (match === undefined) return;
    // Open the span's lines if the match is in one of them.
    if (match.where === "log" || match.where === "event") open(match.spanId);
    select(match.spanId);
  };
  const run = (command: Command) => {
    const item = items[at];
    if (command.do === "select") select(command.id);
    else if (command.do === "fold" || command.do === "unfold") fold(command.spanId);
    else if (command.do === "expand-repeats" || command.do === "collapse-repeats")
      showRepeats(command.spanId);
    else if (command.do === "open") onOpen();
    else if (command.do === "close") select(null);
    else if (command.do === "toggle-lines") {
      if (item?.kind === "span" || item?.kind === "line") showLines(item.row.span_id);
    } else zoom(command.do === "zoom-in" ? "in" : command.do === "zoom-out" ? "out" : "reset");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const command = commandFor(event.key, items, at);
    if (command === null) return;
    event.preventDefault();
    run(command);
  };

  const selectedItem = items[at];
  const allFolded =
    foldableIds.length > 0 ? foldableIds.every((spanId) => folded.has(spanId)) : null;
  return (
    <section class="waterfall panel" aria-labelledby="waterfall-title">
      <div class="waterfall-head">
        <h2 id="waterfall-title">Hop by hop</h2>
        <Legend trace={trace} />
      </div>
      <div class="sticky" ref={head}>
        <Toolbar
          find={viewState.find}
          matches={matches.length}
          matchAt={matchAt + 1}
          errors={trace.errors}
          folded={allFolded}
          lines={
            rows.some((row) => row.logs.length + row.events.length > 0) ? viewState.lines : null
          }
          range={range === whole ? null : range}
          container={finder}
          onFind={(find) => onViewState({ find })}
          onMatch={goToMatch}
          onLeave={() => grid.current?.focus({ preventScroll: true })}
          onError={(step) => {
            const next = errorFrom(items, at, step);
            if (next) run(next);
          }}
          onFold={() => collapse(new Set(allFolded ? [] : foldableIds))}
          onLines={() => onViewState({ lines: !viewState.lines })}
          onZoom={zoom}
        />
        {items.length > MINIMAP_ROWS && (
          <Minimap
            items={items}
            whole={whole}
            range={range === whole ? null : range}
            list={list}
            rowPx={rowPx}
            onRange={(next) => onViewState({ range: within(next, totalMs) })}
            onGo={(index) => reveal(index, true)}
          />
        )}
        <Axis
          range={range}
          ticks={ticks}
          columns={COLUMNS}
          onRange={(next) => onViewState({ range: next && within(next, totalMs) })}
        />
      </div>
      <div
        class="rows"
        role="treegrid"
        aria-label="Spans, by hop"
        aria-rowcount={items.length}
        aria-activedescendant={selectedItem ? rowId(selectedItem.id) : undefined}
        aria-keyshortcuts="ArrowUp ArrowDown ArrowLeft ArrowRight Enter [ ] 0 + - l"
        tabIndex={0}
        ref={grid}
        onKeyDown={onKeyDown}
      >
        <GridLines range={range} ticks={ticks} />
        <Rows
          list={list}
          items={items}
          at={at}
          rowPx={rowPx}
          range={range}
          paths={paths}
          matches={matchOf}
          needle={needleOf(viewState.find)}
          unusualMarks={unusualMarks}
          lines={viewState.lines}
          opened={opened}
          onSelect={select}
          onFold={fold}
          onLines={showLines}
          onRepeats={showRepeats}
        />
      </div>
      <KeyboardHints />
    </section>
  );
}

function pathsOf(segments: readonly PathSegment[]): Map<string, PathSegment[]> {
  const paths = new Map<string, PathSegment[]>();
  for (const segment of segments) {
    const known = paths.get(segment.span_id);
    if (known) known.push(segment);
    else paths.set(segment.span_id, [segment]);
  }
  return paths;
}

function toggled(set: ReadonlySet<string>, ids: readonly string[]): Set<string> {
  const next = new Set(set);
  for (const id of ids) if (!next.delete(id)) next.add(id);
  return next;
}
