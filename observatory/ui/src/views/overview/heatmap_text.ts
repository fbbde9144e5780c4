/** Describing cells of the heatmap in words. */
import type { Heatmap } from "../../api/types";
import { count, durationText } from "../../format";
import { momentText } from "../../navigation/range_text";
import { type Cells, contentOf } from "./heatmap_scale";

/** Describe cells in three lines: counts, time range, durations. */
export function cellText(heatmap: Heatmap, cells: Cells): string {
  const { count: traces, errors } = contentOf(heatmap, cells);
  const failing = errors === 0 ? "" : `, ${errors.toLocaleString("en")} with errors`;
  return `${count(traces, "trace")}${failing}\n${timeText(heatmap, cells)}\n${durationsText(heatmap, cells)}`;
}

function timeText({ from_ms, column_ms }: Heatmap, { left, right }: Cells): string {
  const now = new Date();
  const seconds = column_ms < 60_000;
  const from = momentText(from_ms + left * column_ms, now, seconds);
  return `${from} – ${momentText(from_ms + (right + 1) * column_ms, now, seconds)}`;
}

function durationsText({ rows }: Heatmap, { bottom, top }: Cells): string {
  const minMs = rows[bottom]?.least_ms ?? 0;
  const maxMs = rows[top]?.most_ms ?? 0;
  return `${durationText(minMs)} to ${durationText(maxMs)}`;
}
