/** The keyboard cursor in the heatmap. */
import { type Cell, type Cells, cellsBetween } from "./heatmap_scale";

/** The current cell, and the opposite corner of the box if one is being drawn. */
export interface Cursor extends Cell {
  anchor: Cell | null;
}

const STEPS: Record<string, [columns: number, rows: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
  PageUp: [0, 5],
  PageDown: [0, -5],
  Home: [-Infinity, 0],
  End: [Infinity, 0],
};

/** Return the cursor after a key; null if the key does not move it. With `grow`, the box grows. */
export function moved(
  { column, row, anchor }: Cursor,
  key: string,
  grow: boolean,
  size: { columns: number; rows: number },
): Cursor | null {
  const step = STEPS[key];
  if (step === undefined) return null;
  return {
    column: clamp(column + step[0], size.columns),
    row: clamp(row + step[1], size.rows),
    anchor: grow ? (anchor ?? { column, row }) : null,
  };
}

/** Return the cells that the cursor covers. */
export function cellsOf(cursor: Cursor): Cells {
  return cellsBetween(cursor, cursor.anchor ?? cursor);
}

function clamp(index: number, size: number): number {
  return Math.min(Math.max(index, 0), size - 1);
}
