/** Which of thousands of equally high rows are drawn, and how the reader's place is kept. */
import type { RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

/** Indexes of the rows to draw: from `first` up to but not with `last`. */
export interface Visible {
  first: number;
  last: number;
}

// So few are all drawn: then a picture of the whole page, and the browser's own search, have them.
const FEW = 250;
// Rows come in chunks, so that most steps of a scroll draw nothing, and some are drawn ahead.
const CHUNK = 5;
const AHEAD = 25;

const NARROW = "(max-width: 700px)";

/** The rows worth drawing for a list that begins `top` px below the window's upper edge. */
export function visibleRows(top: number, windowPx: number, rowPx: number, count: number): Visible {
  if (count <= FEW) return { first: 0, last: count };
  const first = Math.floor(-top / rowPx / CHUNK) * CHUNK - AHEAD;
  const last = Math.ceil((windowPx - top) / rowPx / CHUNK) * CHUNK + AHEAD;
  const bounded = (index: number) => Math.max(0, Math.min(index, count));
  return { first: bounded(first), last: bounded(last) };
}

/** The rows of the list at `place` that are worth drawing now. */
export function useVisible(
  container: RefObject<HTMLElement | null>,
  count: number,
  rowPx: number,
): Visible {
  const [visible, setVisible] = useState(() => visibleRows(0, innerHeight, rowPx, count));
  useLayoutEffect(() => {
    const look = () => {
      if (container.current === null) return;
      const { top } = container.current.getBoundingClientRect();
      const next = visibleRows(top, innerHeight, rowPx, count);
      setVisible((now) => (now.first === next.first && now.last === next.last ? now : next));
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [count, rowPx]);
  return visible;
}

/** How high a row is, in pixels: where the page is narrow, style sheets have more lines a row. */
export function useRowPx(widePx: number, narrowPx: number): number {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useLayoutEffect(() => {
    const query = matchMedia(NARROW);
    const update = () => setNarrow(query.matches);
    query.addEventListener("change", update);
    return () => query.removeEventListener("change", update);
  }, []);
  return narrow ? narrowPx : widePx;
}

/**
 * Keeps what is on the screen where it is when rows come or go above it.
 *
 * @param ids of the rows, in order; another array means that rows came or went.
 * @param chosen the row to hold on to where it is on the screen.
 */
export function useStableScroll(
  container: RefObject<HTMLElement | null>,
  ids: readonly string[],
  rowPx: number,
  chosen: string | null,
): void {
  const seen = useRef<{ id: string; y: number }[]>([]);
  const remember = () => {
    const top = container.current?.getBoundingClientRect().top ?? 0;
    // Nothing above the window's edge can push what is in it.
    const first = Math.max(0, Math.floor(-top / rowPx));
    const on = ids.slice(top < 0 ? first : 0, top < 0 ? first + Math.ceil(innerHeight / rowPx) : 0);
    const rows = on.map((id, index) => ({ id, y: top + (first + index) * rowPx }));
    seen.current = [...rows.filter((row) => row.id === chosen && row.y > 0), ...rows];
  };
  useLayoutEffect(() => {
    if (seen.current.length > 0) {
      const at = new Map(ids.map((id, index) => [id, index]));
      const held = seen.current.find((row) => at.has(row.id));
      const top = container.current?.getBoundingClientRect().top ?? 0;
      const moved = held ? top + (at.get(held.id) ?? 0) * rowPx - held.y : 0;
      if (Math.abs(moved) >= 1) scrollBy(0, moved);
    }
    remember();
  }, [ids]);
  useLayoutEffect(() => {
    addEventListener("scroll", remember, { passive: true });
    return () => removeEventListener("scroll", remember);
  }, [ids, rowPx, chosen]);
}
