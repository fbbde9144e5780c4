/** Time ranges as text, and as the value of a date field. */
import { DEFAULT_RANGE, type Range } from "./selection";

/** The ranges that the picker offers. */
export const RANGES: Range[] = [
  { kind: "last", seconds: 300 },
  DEFAULT_RANGE,
  { kind: "last", seconds: 3600 },
  { kind: "last", seconds: 86_400 },
  { kind: "all" },
];

/** Describe a range: `Last 15 min`, `All time`, `14:02 – 14:17`, with the date if it isn't today. */
export function rangeText(range: Range, now = new Date()): string {
  if (range.kind === "all") return "All time";
  if (range.kind === "last") return `Last ${lengthText(range.seconds)}`;
  const { from, to } = range;
  if (from === null) return to === null ? "All time" : `Until ${momentText(to, now)}`;
  if (to === null) return `Since ${momentText(from, now)}`;
  const short = to - from < 120_000;
  return `${momentText(from, now, short)} – ${momentText(to, now, short)}`;
}

function lengthText(seconds: number): string {
  if (seconds % 86_400 === 0 && seconds > 86_400) return `${seconds / 86_400} days`;
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  if (seconds % 60 === 0) return `${seconds / 60} min`;
  if (seconds > 600) return `${Math.round(seconds / 60)} min`;
  return `${seconds} s`;
}

/** Return the local time of day, with the date if that differs from the date of `now`. */
export function momentText(ms: number, now: Date, seconds = false): string {
  const moment = new Date(ms);
  const time = moment.toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds && { second: "2-digit" }),
  });
  if (moment.toDateString() === now.toDateString()) return time;
  const day = moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  return `${day}, ${time}`;
}

/** Format Unix milliseconds for a `datetime-local` field: local time, to the second. */
export function fieldText(ms: number): string {
  const offset = new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - offset).toISOString().slice(0, 19);
}

/** Parse a `datetime-local` field into Unix milliseconds; null if it is empty or invalid. */
export function fieldMoment(text: string): number | null {
  const ms = new Date(text).getTime();
  return text === "" || Number.isNaN(ms) ? null : ms;
}
