/** Which rows of a scrolling element are visible, so that only those have to be rendered. */

/** Rows of height `rowPx`, except that each row in `extra`, in order of index, is `px` higher. */
export interface Rows {
  count: number;
  rowPx: number;
  extra: readonly { index: number; px: number }[];
}

/** Rows to render, from `first` up to but excluding `end`, and the empty space above and below. */
export interface RenderedRows {
  first: number;
  end: number;
  abovePx: number;
  belowPx: number;
}

const OVERSCAN = 8;

/** Return the offset of a row from the top of the first row, in pixels. */
export function offsetOf(rows: Rows, index: number): number {
  let px = index * rows.rowPx;
  for (const taller of rows.extra) {
    if (taller.index >= index) break;
    px += taller.px;
  }
  return px;
}

/** Return the rows that are visible at a scroll position, and some more around them. */
export function rowsToRender(rows: Rows, scrolledPx: number, heightPx: number): RenderedRows {
  const first = Math.max(0, rowAt(rows, scrolledPx) - OVERSCAN);
  const end = Math.min(rows.count, rowAt(rows, scrolledPx + heightPx) + 1 + OVERSCAN);
  const abovePx = offsetOf(rows, first);
  return { first, end, abovePx, belowPx: offsetOf(rows, rows.count) - offsetOf(rows, end) };
}

/** Return the index of the row at an offset; the last one if it is below all rows. */
function rowAt(rows: Rows, px: number): number {
  let low = 0;
  let high = Math.max(0, rows.count - 1);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (offsetOf(rows, middle) <= px) low = middle;
    else high = middle - 1;
  }
  return low;
}
