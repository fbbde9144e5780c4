/** The scale above the rows: round moments, and a drag over it chooses a stretch of time. */
import { useRef, useState } from "preact/hooks";
import { type Range, shareOf, tickText } from "./time_scale";

// Less is a click, not a drag.
const LEAST_PX = 4;

/** Pointer events that choose a range by dragging over an element as wide as `range` is long. */
export function useDrag(
  range: Range,
  onRange: (range: Range) => void,
  onClick?: (y: number) => void,
) {
  const from = useRef<number | null>(null);
  const [dragged, setDragged] = useState<Range | null>(null);
  const momentAt = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const share = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    return range.from + share * (range.to - range.from);
  };
  const farEnough = (event: PointerEvent, to: number) => {
    const width = (event.currentTarget as HTMLElement).clientWidth;
    const share = Math.abs(to - (from.current ?? to)) / (range.to - range.from);
    return share * width >= LEAST_PX;
  };
  const between = (a: number, b: number) => ({ from: Math.min(a, b), to: Math.max(a, b) });
  return {
    dragged,
    handlers: {
      onPointerDown(event: PointerEvent) {
        if (event.button !== 0) return;
        (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
        from.current = momentAt(event);
      },
      onPointerMove(event: PointerEvent) {
        if (from.current === null) return;
        const to = momentAt(event);
        setDragged(farEnough(event, to) ? between(from.current, to) : null);
      },
      onPointerUp(event: PointerEvent) {
        if (from.current === null) return;
        const to = momentAt(event);
        const chosen = farEnough(event, to) ? between(from.current, to) : null;
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
  /** What the columns of numbers right of it are called. */
  columns: readonly string[];
  onRange: (range: Range | null) => void;
}

export function Axis({ range, ticks, columns, onRange }: Props) {
  const { dragged, handlers } = useDrag(range, onRange);
  return (
    <div class="row-grid scale" aria-hidden="true">
      <span class="column-head first">span</span>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: keys and buttons do the same */}
      <span
        class="ticks"
        title="Drag to see a stretch of time from near; double click to see all"
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

/** A stretch of time, marked. */
export function Band({ within, range }: { within: Range; range: Range }) {
  const left = shareOf(within, range.from) * 100;
  return (
    <span
      class="band"
      style={{ left: `${left}%`, width: `${shareOf(within, range.to) * 100 - left}%` }}
    />
  );
}

/** Keeps the outermost texts within the scale. */
function edgeOf(share: number): string {
  return share < 0.04 ? "tick first" : share > 0.94 ? "tick last" : "tick";
}
