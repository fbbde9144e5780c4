/** Which rows of a long list to render, and keeping the scroll position when rows are added. */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useMedia } from "./element_scroll";

/** Indexes of the rows to render, from `first` up to but excluding `end`. */
export interface VisibleRows {
  first: number;
  end: number;
}

// Up to this many rows are all rendered, so that the browser's search and full-page screenshots work.
const RENDER_ALL_MAX = 250;
// Rows are rendered in chunks, so that most scroll events render nothing, and some ahead of the
// visible ones, so that scrolling shows no gaps.
const CHUNK = 5;
const AHEAD = 25;

const NARROW = "(max-width: 700px)";

/** Return the rows to render for a list that begins `top` px below the window's upper edge. */
export function visibleRows(
  top: number,
  windowPx: number,
  rowPx: number,
  count: number,
): VisibleRows {
  if (count <= RENDER_ALL_MAX) return { first: 0, end: count };
  const first = Math.floor(-top / rowPx / CHUNK) * CHUNK - AHEAD;
  const end = Math.ceil((windowPx - top) / rowPx / CHUNK) * CHUNK + AHEAD;
  const bounded = (index: number) => Math.max(0, Math.min(index, count));
  return { first: bounded(first), end: bounded(end) };
}

/** Return the rows of the list in `container` to render, and render again when they change. */
export function useVisibleRows(
  container: RefObject<HTMLElement | null>,
  count: number,
  rowPx: number,
): VisibleRows {
  const [visible, setVisible] = useState(() => visibleRows(0, innerHeight, rowPx, count));
  useLayoutEffect(() => {
    const update = () => {
      if (container.current === null) return;
      const { top } = container.current.getBoundingClientRect();
      const next = visibleRows(top, innerHeight, rowPx, count);
      setVisible((now) => (now.first === next.first && now.end === next.end ? now : next));
    };
    update();
    addEventListener("scroll", update, { passive: true });
    addEventListener("resize", update);
    return () => {
      removeEventListener("scroll", update);
      removeEventListener("resize", update);
    };
  }, [count, rowPx]);
  return visible;
}

/** Return the height of a row in pixels: rows have more lines of text on narrow pages. */
export function useRowPx(widePx: number, narrowPx: number): number {
  return useMedia(NARROW) ? narrowPx : widePx;
}

/**
 * Keep what is on the screen in place when rows are added or removed above it.
 *
 * @param ids the rows' ids in order; a new array means that rows were added or removed.
 * @param selected the row to keep in place if it is on the screen.
 */
export function useStableScroll(
  container: RefObject<HTMLElement | null>,
  ids: readonly string[],
  rowPx: number,
  selected: string | null,
): void {
  const onScreen = useRef<{ id: string; y: number }[]>([]);
  const remember = () => {
    const top = container.current?.getBoundingClientRect().top ?? 0;
    // While the list's top is on the screen, no row can be added above the visible ones.
    const first = Math.max(0, Math.floor(-top / rowPx));
    const end = top < 0 ? first + Math.ceil(innerHeight / rowPx) : 0;
    const visibleIds = ids.slice(top < 0 ? first : 0, end);
    const rows = visibleIds.map((id, index) => ({ id, y: top + (first + index) * rowPx }));
    onScreen.current = [...rows.filter((row) => row.id === selected && row.y > 0), ...rows];
  };
  useLayoutEffect(() => {
    if (onScreen.current.length > 0) {
      const at = new Map(ids.map((id, index) => [id, index]));
      const anchor = onScreen.current.find((row) => at.has(row.id));
      const top = container.current?.getBoundingClientRect().top ?? 0;
      const moved = anchor ? top + (at.get(anchor.id) ?? 0) * rowPx - anchor.y : 0;
      if (Math.abs(moved) >= 1) scrollBy(0, moved);
    }
    remember();
  }, [ids]);
  useLayoutEffect(() => {
    addEventListener("scroll", remember, { passive: true });
    return () => removeEventListener("scroll", remember);
  }, [ids, rowPx, selected]);
}
