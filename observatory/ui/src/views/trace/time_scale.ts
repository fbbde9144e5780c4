/** The time scale of the waterfall: the range shown, and positions in it. */

import { durationText } from "../../format";

/** A time range in milliseconds after the start of the trace. */
export interface Range {
  from: number;
  to: number;
}

const STEPS = [1, 2, 2.5, 5, 10];
// Clocks do not resolve intervals below a microsecond.
const RANGE_MIN_MS = 0.001;

/** Return the position of a time: 0 at the start of the range, 1 at its end. */
export function shareOf(range: Range, ms: number): number {
  const length = range.to - range.from;
  return length > 0 ? (ms - range.from) / length : 0;
}

/** Return a left edge and a width in per cent, clipped to the range; null if outside. */
export function barPosition(range: Range, fromMs: number, toMs: number): [number, number] | null {
  const left = shareOf(range, fromMs);
  const right = shareOf(range, Math.max(fromMs, toMs));
  if (right < 0 || left > 1) return null;
  const from = Math.max(0, left);
  return [from * 100, (Math.min(1, right) - from) * 100];
}

/** Return about `max` round times within the range, at most one more. */
export function ticksOf(range: Range, max: number): number[] {
  const length = range.to - range.from;
  if (!(length > 0)) return [range.from];
  const rough = length / max;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(range.from / step - 1e-9);
  const ticks = [];
  for (let at = first; at * step <= range.to + step * 1e-9; at++) ticks.push(at * step);
  return ticks;
}

/** Format a round time without trailing zeros: `5 s`, not `5.00 s`. */
export function tickText(ms: number): string {
  return ms === 0
    ? "0"
    : durationText(ms)
        .replace(/(\.\d*?)0+(?= )/, "$1")
        .replace(/\.(?= )| 0 s$/, "");
}

/**
 * Return a range `factor` times as long around `centreMs`, moved into the trace; null if it would
 * cover the whole trace.
 */
export function zoomed(
  range: Range,
  wholeMs: number,
  factor: number,
  centreMs: number,
): Range | null {
  const length = Math.max(RANGE_MIN_MS, (range.to - range.from) * factor);
  const before = Math.min(1, Math.max(0, shareOf(range, centreMs)));
  return within(
    { from: centreMs - length * before, to: centreMs + length * (1 - before) },
    wholeMs,
  );
}

/** Move a range into the trace; null if it would cover the whole trace. */
export function within(range: Range, wholeMs: number): Range | null {
  const length = Math.max(RANGE_MIN_MS, range.to - range.from);
  if (length >= wholeMs) return null;
  const from = Math.min(Math.max(0, range.from), wholeMs - length);
  return { from, to: from + length };
}

/** Parse a range such as `120.5-900`; null if invalid. */
export function rangeFrom(text: string | null): Range | null {
  const match = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? "");
  if (match === null) return null;
  const range = { from: Number(match[1]), to: Number(match[2]) };
  return range.to > range.from ? range : null;
}

/** Format a range as `rangeFrom` parses it. */
export function rangeText(range: Range): string {
  return `${Number(range.from.toFixed(3))}-${Number(range.to.toFixed(3))}`;
}
