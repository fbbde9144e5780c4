/** How ranges of time are said, and typed. */
import { DEFAULT_RANGE, type Range } from "./selection";

/** The ranges that one click chooses. */
export const RANGES: Range[] = [
  { kind: "last", seconds: 300 },
  DEFAULT_RANGE,
  { kind: "last", seconds: 3600 },
  { kind: "last", seconds: 86_400 },
  { kind: "all" },
];

/** `Last 15 min`, `All time`, `14:02 – 14:17`; a date where it isn't `now`'s. */
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

/** The time of day; with the date if it is not the day of `now`. */
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

/** A moment as a `datetime-local` field holds it: local time, to the second. */
export function fieldText(ms: number): string {
  const offset = new Date(ms).getTimezoneOffset() * 60_000;
  return new Date(ms - offset).toISOString().slice(0, 19);
}

/** The moment (unix ms) in a `datetime-local` field; `null` when it is empty. */
export function fieldMoment(text: string): number | null {
  const ms = new Date(text).getTime();
  return text === "" || Number.isNaN(ms) ? null : ms;
}
