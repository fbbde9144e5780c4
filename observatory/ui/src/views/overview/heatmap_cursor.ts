/** Going through the heatmap's cells by keyboard. */
import { type Cell, type Cells, cellsBetween } from "./heatmap_scale";

/** The cell one is at, and the other corner of the box that grows from there. */
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

/** Where a key leads; `null` when it is none that moves. With `grow` the box's corner stays. */
export function moved(
  { column, row, anchor }: Cursor,
  key: string,
  grow: boolean,
  size: { columns: number; rows: number },
): Cursor | null {
  const step = STEPS[key];
  if (step === undefined) return null;
  return {
    column: within(column + step[0], size.columns),
    row: within(row + step[1], size.rows),
    anchor: grow ? (anchor ?? { column, row }) : null,
  };
}

/** The cells that the cursor stands for. */
export function cellsOf(cursor: Cursor): Cells {
  return cellsBetween(cursor, cursor.anchor ?? cursor);
}

function within(place: number, size: number): number {
  return Math.min(Math.max(place, 0), size - 1);
}
