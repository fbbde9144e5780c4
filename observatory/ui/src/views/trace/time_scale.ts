/** The waterfall's scale of time: which stretch of the trace is shown, and where things fall in it. */

import { durationText } from "../../format";

/** A stretch of the trace, in milliseconds after its first span's start. */
export interface Range {
  from: number;
  to: number;
}

const STEPS = [1, 2, 2.5, 5, 10];
// Below a microsecond there is nothing to see: clocks don't tell it.
const LEAST_MS = 0.001;

/** Where `ms` is in the range: 0 at its left edge, 1 at its right; beyond it, beyond them. */
export function shareOf(range: Range, ms: number): number {
  const length = range.to - range.from;
  return length > 0 ? (ms - range.from) / length : 0;
}

/** A left edge and a width in per cent, cut off at the range's edges; null if it lies outside. */
export function placed(range: Range, fromMs: number, toMs: number): [number, number] | null {
  const left = shareOf(range, fromMs);
  const right = shareOf(range, Math.max(fromMs, toMs));
  if (right < 0 || left > 1) return null;
  const from = Math.max(0, left);
  return [from * 100, (Math.min(1, right) - from) * 100];
}

/** Round moments within the range, at most `most` of them. */
export function ticksOf(range: Range, most: number): number[] {
  const length = range.to - range.from;
  if (!(length > 0)) return [range.from];
  const rough = length / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(range.from / step - 1e-9);
  const ticks = [];
  for (let at = first; at * step <= range.to + step * 1e-9; at++) ticks.push(at * step);
  return ticks;
}

/** A round moment without the digits that it doesn't need: `5 s`, not `5.00 s`. */
export function tickText(ms: number): string {
  return ms === 0
    ? "0"
    : durationText(ms)
        .replace(/(\.\d*?)0+(?= )/, "$1")
        .replace(/\.(?= )| 0 s$/, "");
}

/**
 * The range made `factor` times as long around `centreMs`, kept within the whole trace.
 * Null where it would be the whole trace.
 */
export function zoomed(
  range: Range,
  wholeMs: number,
  factor: number,
  centreMs: number,
): Range | null {
  const length = Math.max(LEAST_MS, (range.to - range.from) * factor);
  const before = Math.min(1, Math.max(0, shareOf(range, centreMs)));
  return within(
    { from: centreMs - length * before, to: centreMs + length * (1 - before) },
    wholeMs,
  );
}

/** The range pushed into the whole trace; null where it would be all of it. */
export function within(range: Range, wholeMs: number): Range | null {
  const length = Math.max(LEAST_MS, range.to - range.from);
  if (length >= wholeMs) return null;
  const from = Math.min(Math.max(0, range.from), wholeMs - length);
  return { from, to: from + length };
}

/** Reads `120.5-900`; null where it is no range. */
export function rangeFrom(text: string | null): Range | null {
  const found = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? "");
  if (found === null) return null;
  const range = { from: Number(found[1]), to: Number(found[2]) };
  return range.to > range.from ? range : null;
}

/** Writes what `rangeFrom` reads. */
export function rangeText(range: Range): string {
  return `${Number(range.from.toFixed(3))}-${Number(range.to.toFixed(3))}`;
}
