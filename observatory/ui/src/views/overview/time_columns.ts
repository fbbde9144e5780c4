/** Dividing a time range into the heatmap's columns. */
import type { Range } from "../../navigation/selection";

export interface TimeColumns {
  range: Range;
  columns: number;
}

const MAIN_PX_MAX = 1392;
const CELL_PX = 13;
const AXIS_PX = 90;
const STACKED_BELOW_PX = 960;
const HEATMAP_SHARE = 0.58;

/** Return how many columns fit on a page that is `pageWidth` px wide. */
export function columnsThatFit(pageWidth: number): number {
  const main = Math.min(pageWidth - 48, MAIN_PX_MAX);
  const panel = pageWidth < STACKED_BELOW_PX ? main : main * HEATMAP_SHARE;
  return Math.max(20, Math.floor((panel - AXIS_PX) / CELL_PX));
}

/**
 * Divide a range into at most `columnsMax` columns; those of a live range have a round length.
 *
 * They begin at multiples of that length, so that traces stay in their column while time passes and
 * the heatmap moves by whole columns. A fixed range is not changed.
 */
export function alignedColumns(range: Range, columnsMax: number, now: number): TimeColumns {
  if (range.kind === "last") {
    const length = columnLength((range.seconds * 1000) / columnsMax);
    const columns = Math.ceil((range.seconds * 1000) / length);
    const to = (Math.floor(now / length) + 1) * length;
    return { range: { kind: "between", from: to - columns * length, to }, columns };
  }
  if (range.kind === "between" && range.from !== null && range.to !== null) {
    const length = columnLength((range.to - range.from) / columnsMax);
    const columns = (range.to - range.from) / length;
    if (Number.isInteger(columns)) return { range, columns };
  }
  return { range, columns: columnsMax };
}

/** Return the smallest round column length of at least `minMs`, in milliseconds. */
function columnLength(minMs: number): number {
  const second = 1000;
  const unit = [
    [10 * second, second],
    [60 * second, 5 * second],
    [600 * second, 30 * second],
    [3600 * second, 300 * second],
  ].find(([below]) => minMs <= (below ?? 0))?.[1];
  return Math.ceil(minMs / (unit ?? 1800 * second)) * (unit ?? 1800 * second);
}
