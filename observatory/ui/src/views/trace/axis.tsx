/** The time axis above the rows; dragging over it selects a time range. */
import { useRef, useState } from "preact/hooks";
import { type Range, shareOf, tickText } from "./time_scale";

// A shorter movement is a click.
const DRAG_MIN_PX = 4;

/**
 * Return pointer handlers that select a part of `range` by dragging over an element that shows it.
 *
 * @param onClick receives the vertical position of a click, in pixels.
 */
export function useDrag(
  range: Range,
  onRange: (range: Range) => void,
  onClick?: (y: number) => void,
) {
  const from = useRef<number | null>(null);
  const [dragged, setDragged] = useState<Range | null>(null);
  const timeAt = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    return range.from + share * (range.to - range.from);
  };
  const isDrag = (event: PointerEvent, to: number) => {
    const width = (event.currentTarget as HTMLElement).clientWidth;
    const share = Math.abs(to - (from.current ?? to)) / (range.to - range.from);
    return share * width >= DRAG_MIN_PX;
  };
  const between = (a: number, b: number) => ({ from: Math.min(a, b), to: Math.max(a, b) });
  return {
    dragged,
    handlers: {
      onPointerDown(event: PointerEvent) {
        if (event.button !== 0) return;
        (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
        from.current = timeAt(event);
      },
      onPointerMove(event: PointerEvent) {
        if (from.current === null) return;
        const to = timeAt(event);
        setDragged(isDrag(event, to) ? between(from.current, to) : null);
      },
      onPointerUp(event: PointerEvent) {
        if (from.current === null) return;
        const to = timeAt(event);
        const chosen = isDrag(event, to) ? between(from.current, to) : null;
        from.current = null;
        setDragged(null);
        if (chosen) onRange(chosen);
        else onClick?.(event.offsetY);
      },
      onPointerCancel() {
        from.current = null;
        setDragged(null);
      },
    },
  };
}

interface Props {
  range: Range;
  ticks: readonly number[];
  /** The headings of the number columns to the right. */
  columns: readonly string[];
  onRange: (range: Range | null) => void;
}

export function Axis({ range, ticks, columns, onRange }: Props) {
  const { dragged, handlers } = useDrag(range, onRange);
  return (
    <div class="row-grid scale" aria-hidden="true">
      <span class="column-head first">span</span>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys and buttons offer the same */}
      <span
        class="ticks"
        title="Drag to zoom into a time range; double-click to reset"
        onDblClick={() => onRange(null)}
        {...handlers}
      >
        {ticks.map((tick) => (
          <span
            key={tick}
            class={edgeOf(shareOf(range, tick))}
            style={{ left: `${shareOf(range, tick) * 100}%` }}
          >
            {tickText(tick)}
          </span>
        ))}
        {dragged && <Band within={range} range={dragged} />}
      </span>
      {columns.map((column) => (
        <span key={column} class="column-head">
          {column}
        </span>
      ))}
    </div>
  );
}

/** A highlighted time range. */
export function Band({ within, range }: { within: Range; range: Range }) {
  const left = shareOf(within, range.from) * 100;
  return (
    <span
      class="band"
      style={{ left: `${left}%`, width: `${shareOf(within, range.to) * 100 - left}%` }}
    />
  );
}

/** Return the class of a tick, which keeps the outermost labels within the axis. */
function edgeOf(share: number): string {
  return share < 0.04 ? "tick first" : share > 0.94 ? "tick last" : "tick";
}
