/** Conversions between times, durations, cells and positions in the heatmap. */
import type { Heatmap } from "../../api/types";
import type { Box } from "./subset";

export interface Cell {
  column: number;
  row: number;
}

/** A block of cells; all four bounds are inclusive. */
export interface Cells {
  left: number;
  right: number;
  bottom: number;
  top: number;
}

export interface Tick {
  at: number;
  text: string;
}

/** Return the number of columns. */
export function columnsOf(heatmap: Heatmap): number {
  return Math.max(1, Math.round((heatmap.to_ms - heatmap.from_ms) / heatmap.column_ms));
}

/** Return the horizontal position of a time, from 0 (left) to 1. */
export function xOf(heatmap: Heatmap, ms: number): number {
  return clamp((ms - heatmap.from_ms) / (heatmap.to_ms - heatmap.from_ms), 0, 1);
}

/** Return the vertical position of a duration, from 0 (bottom) to 1, logarithmic within each row. */
export function yOf({ rows }: Heatmap, ms: number): number {
  const row = rows.findIndex(({ most_ms }) => ms < most_ms);
  const bounds = rows[row];
  if (bounds === undefined) return rows.length === 0 ? 0 : 1;
  const { least_ms, most_ms } = bounds;
  const part =
    least_ms > 0
      ? Math.log(ms / least_ms) / Math.log(most_ms / least_ms)
      : (ms - least_ms) / (most_ms - least_ms);
  return (row + clamp(part, 0, 1)) / rows.length;
}

/** Return the cell at a position, from 0 to 1 from the left and from the bottom. */
export function cellAt(heatmap: Heatmap, across: number, up: number): Cell {
  const [columns, rows] = [columnsOf(heatmap), heatmap.rows.length];
  return {
    column: clamp(Math.floor(across * columns), 0, columns - 1),
    row: clamp(Math.floor(up * rows), 0, rows - 1),
  };
}

/** Return the block between two opposite corners. */
export function cellsBetween(one: Cell, other: Cell): Cells {
  return {
    left: Math.min(one.column, other.column),
    right: Math.max(one.column, other.column),
    bottom: Math.min(one.row, other.row),
    top: Math.max(one.row, other.row),
  };
}

/** Return the times and durations of cells; the first and last rows have no outer bound. */
export function boxOf(heatmap: Heatmap, { left, right, bottom, top }: Cells): Box {
  const { from_ms, column_ms, rows } = heatmap;
  return {
    from: Math.round(from_ms + left * column_ms),
    to: Math.round(from_ms + (right + 1) * column_ms),
    minMs: bottom === 0 ? null : (rows[bottom]?.least_ms ?? null),
    maxMs: top >= rows.length - 1 ? null : (rows[top]?.most_ms ?? null),
  };
}

/** Count the traces in cells, and those with errors. */
export function contentOf({ cells }: Heatmap, inside: Cells): { count: number; errors: number } {
  let [count, errors] = [0, 0];
  for (const [column, row, traces, failed] of cells) {
    if (column < inside.left || column > inside.right) continue;
    if (row < inside.bottom || row > inside.top) continue;
    count += traces;
    errors += failed;
  }
  return { count, errors };
}

const MINUTE = 60_000;
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * MINUTE),
];

// Room for two times with seconds, of which the outermost do not extend beyond the axis.
const TIME_TICK_PX = 92;

/** Return the ticks that fit an axis of this width without overlapping. */
export function timeTicksIn(heatmap: Heatmap, widthPx: number): Tick[] {
  return timeTicks(heatmap, Math.max(2, widthPx / TIME_TICK_PX));
}

/** Return how the label of a tick is aligned, so that it stays within the axis. */
export function timeTickAnchor({ at }: Tick): "start" | "middle" | "end" {
  return at < 0.04 ? "start" : at > 0.96 ? "end" : "middle";
}

/** Return at most `max` ticks at round local times; `at` is a horizontal position. */
export function timeTicks(heatmap: Heatmap, max: number): Tick[] {
  const length = heatmap.to_ms - heatmap.from_ms;
  const day = 1440 * MINUTE;
  const step = TIME_STEPS.find((ms) => length / ms <= max) ?? Math.ceil(length / day / max) * day;
  const offset = new Date(heatmap.from_ms).getTimezoneOffset() * MINUTE;
  const ticks: Tick[] = [];
  const first = Math.ceil((heatmap.from_ms - offset) / step) * step + offset;
  for (let ms = first; ms < heatmap.to_ms; ms += step)
    ticks.push({ at: xOf(heatmap, ms), text: tickText(ms, step) });
  return ticks;
}

function tickText(ms: number, step: number): string {
  const moment = new Date(ms);
  if (step >= 1440 * MINUTE || (step >= 60 * MINUTE && moment.getHours() === 0))
    return moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return moment.toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    ...(step < MINUTE && { second: "2-digit" }),
  });
}

/** Return ticks at round durations, at least `gap` apart; `at` is a vertical position. */
export function durationTicks(heatmap: Heatmap, gap: number): Tick[] {
  const minMs = heatmap.rows[0]?.least_ms ?? 0;
  const maxMs = heatmap.rows.at(-1)?.most_ms ?? 0;
  const ticks: Tick[] = [];
  for (const candidates of ROUND_DURATIONS) {
    for (const ms of candidates) {
      // Row bounds are powers, so they match round numbers only approximately.
      if (ms < minMs * 0.999 || ms > maxMs * 1.001) continue;
      const at = yOf(heatmap, ms);
      if (ticks.every((tick) => Math.abs(tick.at - at) >= gap))
        ticks.push({ at, text: roundDuration(ms) });
    }
  }
  return ticks.sort((one, other) => one.at - other.at);
}

/** Candidates for ticks, the roundest numbers first. */
const ROUND_DURATIONS = [1, 3, 2, 5].map((digit) =>
  digit === 1
    ? [1000, 10, 100, 1, 10_000, 60_000, 600_000, 3_600_000, 0.1, 0.01]
    : [10_000, 1000, 100, 10, 1, 0.1].map((power) => digit * power),
);

function roundDuration(ms: number): string {
  if (ms >= 3_600_000) return `${ms / 3_600_000} h`;
  if (ms >= 60_000) return `${ms / 60_000} min`;
  if (ms >= 1000) return `${ms / 1000} s`;
  return `${Number(ms.toPrecision(1))} ms`;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), max);
}
