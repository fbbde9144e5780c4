/** The heatmap of traces by time and duration, on which a box selects the traces to compare. */
import "./heatmap.css";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Heatmap } from "../../api/types";
import { count } from "../../format";
import { type Cursor, cellsOf, moved } from "./heatmap_cursor";
import { HeatmapDrawing, MARGIN } from "./heatmap_drawing";
import { LEVELS } from "./heatmap_levels";
import {
  boxOf,
  type Cell,
  type Cells,
  cellAt,
  cellsBetween,
  columnsOf,
  contentOf,
} from "./heatmap_scale";
import { HeatmapTable } from "./heatmap_table";
import { cellText } from "./heatmap_text";
import type { Box } from "./subset";

interface Props {
  heatmap: Heatmap;
  /** The box whose traces are compared, if any. */
  box: Box | null;
  /** Called when a box is drawn; null when it is cleared. */
  onBox: (box: Box | null) => void;
  /** Called to open the only trace in a box. */
  onOpen: (box: Box) => void;
  /** Whether the heatmap is shown as a table. */
  asTable: boolean;
  onTable: (asTable: boolean) => void;
}

const DRAG_PX = 5;

export function HeatmapPanel(props: Props) {
  const { heatmap, box, onBox, asTable, onTable } = props;
  return (
    <section class="panel heatmap" aria-labelledby="heatmap-title">
      <header>
        <h2 id="heatmap-title">Duration over time</h2>
        <button
          type="button"
          class="as-link"
          aria-pressed={asTable}
          onClick={() => onTable(!asTable)}
        >
          {asTable ? "Show as a heatmap" : "Show as a table"}
        </button>
      </header>
      <p class="sub" id="heatmap-help">
        Each cell counts traces. Drag a box around odd ones to see what they have in common.
      </p>
      {asTable ? <HeatmapTable heatmap={heatmap} box={box} onBox={onBox} /> : <Plot {...props} />}
    </section>
  );
}

function Plot({ heatmap: latest, box, onBox, onOpen }: Props) {
  const plot = useRef<HTMLDivElement>(null);
  const size = useSize(plot);
  const [drag, setDrag] = useState<{ heatmap: Heatmap; from: Cell; to: Cell } | null>(null);
  const [pointed, setPointed] = useState<Cell | null>(null);
  const [cursor, setCursor] = useState<Cursor | null>(null);
  const began = useRef({ x: 0, y: 0 });
  // During a drag, the heatmap stays as it was, so that it does not move under the pointer.
  const heatmap = drag?.heatmap ?? latest;

  const cellUnder = (event: PointerEvent): Cell => {
    const bounds = (plot.current as HTMLDivElement).getBoundingClientRect();
    const width = bounds.width - MARGIN.left - MARGIN.right;
    const height = bounds.height - MARGIN.top - MARGIN.bottom;
    return cellAt(
      heatmap,
      (event.clientX - bounds.left - MARGIN.left) / width,
      1 - (event.clientY - bounds.top - MARGIN.top) / height,
    );
  };
  const click = (cell: Cell) => {
    const cells = cellsBetween(cell, cell);
    const { count } = contentOf(heatmap, cells);
    if (count === 1) onOpen(boxOf(heatmap, cells));
    else onBox(count === 0 ? null : boxOf(heatmap, cells));
  };
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    plot.current?.setPointerCapture(event.pointerId);
    began.current = { x: event.clientX, y: event.clientY };
    const cell = cellUnder(event);
    setCursor(null);
    setDrag({ heatmap, from: cell, to: cell });
  };
  const onPointerMove = (event: PointerEvent) => {
    const cell = cellUnder(event);
    setPointed(cell);
    if (drag) setDrag({ ...drag, to: cell });
  };
  const onPointerUp = (event: PointerEvent) => {
    if (!drag) return;
    const { x, y } = began.current;
    setDrag(null);
    if (Math.hypot(event.clientX - x, event.clientY - y) < DRAG_PX) click(drag.from);
    else onBox(boxOf(heatmap, cellsBetween(drag.from, cellUnder(event))));
    setPointed(null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const here = cursor ?? start(heatmap);
    const next = moved(here, event.key, event.shiftKey, {
      columns: columnsOf(heatmap),
      rows: heatmap.rows.length,
    });
    if (next) setCursor(cursor ? next : here);
    else if (event.key === "Enter" || event.key === " ") onBox(boxOf(heatmap, cellsOf(here)));
    else if (event.key === "Escape") {
      setCursor(null);
      onBox(null);
    } else return;
    event.preventDefault();
  };

  const drawn = drag ? cellsBetween(drag.from, drag.to) : cursor && cellsOf(cursor);
  const tipCells: Cells | null = drawn ?? (pointed && cellsBetween(pointed, pointed));
  return (
    <>
      <div
        ref={plot}
        class={`plot ${drag ? "dragging" : ""}`}
        role="application"
        aria-label={`Heatmap of ${count(heatmap.total, "trace")}. Arrow keys move between cells, Shift and arrow keys grow a box, Enter compares it, Escape clears it.`}
        aria-describedby="heatmap-help"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application handles keys itself
        tabIndex={0}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={() => setDrag(null)}
        onPointerLeave={() => setPointed(null)}
        onKeyDown={onKeyDown}
        onBlur={() => setCursor(null)}
      >
        {size && (
          <HeatmapDrawing heatmap={heatmap} size={size} box={box} cells={drawn} pointed={pointed} />
        )}
        {size && tipCells && (
          <Tip heatmap={heatmap} cells={tipCells} width={size.width} drawing={drawn !== null} />
        )}
      </div>
      <p class="unseen" aria-live="polite">
        {cursor && cellText(heatmap, cellsOf(cursor))}
      </p>
      <Legend heatmap={heatmap} boxed={box !== null} />
    </>
  );
}

/** Return the initial keyboard cursor: the slowest cell with traces in the latest such column. */
function start({ cells, rows }: Heatmap): Cursor {
  const last = cells.reduce<Cell | null>(
    (latest, [column, row]) =>
      latest === null || column > latest.column || (column === latest.column && row > latest.row)
        ? { column, row }
        : latest,
    null,
  );
  return { ...(last ?? { column: 0, row: Math.floor(rows.length / 2) }), anchor: null };
}

interface TipProps {
  heatmap: Heatmap;
  cells: Cells;
  width: number;
  drawing: boolean;
}

function Tip({ heatmap, cells, width, drawing }: TipProps) {
  const inner = width - MARGIN.left - MARGIN.right;
  const middle = (cells.left + cells.right + 1) / 2 / columnsOf(heatmap);
  const left = MARGIN.left + middle * inner;
  const height = 100 * (1 - (cells.top + 1) / heatmap.rows.length);
  const { count: traces } = contentOf(heatmap, cells);
  if (traces === 0 && cells.left === cells.right && cells.bottom === cells.top) return null;
  const side = middle < 0.25 ? "right" : middle > 0.75 ? "left" : "middle";
  return (
    <p
      class={`tip ${side} ${height < 30 ? "below" : ""}`}
      aria-hidden="true"
      style={{
        left: `${left}px`,
        top:
          height < 30
            ? `calc(${100 * (1 - cells.bottom / heatmap.rows.length)}% - ${MARGIN.bottom}px)`
            : `calc(${height}% - ${(MARGIN.bottom * height) / 100}px)`,
      }}
    >
      {cellText(heatmap, cells)}
      {!drawing && (traces === 1 ? "\nClick to open it" : "\nClick or drag to compare")}
    </p>
  );
}

function Legend({ heatmap, boxed }: { heatmap: Heatmap; boxed: boolean }) {
  const fullest = Math.max(0, ...heatmap.cells.map(([, , traces]) => traces));
  return (
    <p class="count-key">
      <span>
        1
        {LEVELS.map((level) => (
          <i key={level} class={`cell level-${level}`} />
        ))}
        {fullest > 1 ? fullest : "more"}
      </span>
      <span>
        <i class="cell level-2 failing" />
        with errors
      </span>
      {heatmap.outside > 0 && (
        <span>{count(heatmap.outside, "trace")} not shown: too far in time from the others</span>
      )}
      {boxed && (
        <span class="hint-keys">
          <kbd>Esc</kbd> clears the box
        </span>
      )}
    </p>
  );
}

interface Size {
  width: number;
  height: number;
}

function useSize(of: { current: HTMLElement | null }): Size | null {
  const [size, setSize] = useState<Size | null>(null);
  useLayoutEffect(() => {
    const element = of.current;
    if (!element) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return size;
}
