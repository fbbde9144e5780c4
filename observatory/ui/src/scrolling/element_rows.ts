/** Which of many rows are in sight, so that no others have to be drawn. */

/** Rows of one height, some of which (by index, ascending) have something more below them. */
export interface Rows {
  count: number;
  rowPx: number;
  more: readonly { index: number; px: number }[];
}

/** What is drawn: rows `first` to before `end`, with so much empty space above and below. */
export interface RowsInSight {
  first: number;
  end: number;
  abovePx: number;
  belowPx: number;
}

const OVERSCAN = 8;

/** How far below the top of the first row the row `index` begins. */
export function offsetOf(rows: Rows, index: number): number {
  let px = index * rows.rowPx;
  for (const each of rows.more) {
    if (each.index >= index) break;
    px += each.px;
  }
  return px;
}

/** The rows that are in sight when so much is scrolled away, and some around them. */
export function rowsInSight(rows: Rows, scrolledPx: number, heightPx: number): RowsInSight {
  const first = Math.max(0, rowAt(rows, scrolledPx) - OVERSCAN);
  const end = Math.min(rows.count, rowAt(rows, scrolledPx + heightPx) + 1 + OVERSCAN);
  const abovePx = offsetOf(rows, first);
  return { first, end, abovePx, belowPx: offsetOf(rows, rows.count) - offsetOf(rows, end) };
}

/** The row that is at a place; the last one when that is below them all. */
function rowAt(rows: Rows, px: number): number {
  let least = 0;
  let most = Math.max(0, rows.count - 1);
  while (least < most) {
    const middle = Math.ceil((least + most) / 2);
    if (offsetOf(rows, middle) <= px) least = middle;
    else most = middle - 1;
  }
  return least;
}
