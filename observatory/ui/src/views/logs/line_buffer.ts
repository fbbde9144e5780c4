/** The buffer of fetched log lines, oldest first, which grows at both ends. */
import type { LogRecord } from "../../api/types";

/** A line in the buffer. `seq` identifies it; lines older than the first have negative numbers. */
export interface BufferedLine extends LogRecord {
  seq: number;
}

/** The number of newest lines that are searched for duplicates. */
const DUPLICATES_WITHIN = 3_000;

export interface LineBuffer {
  lines: BufferedLine[];
  /** The `before` parameter of the next older page; null if there is none. */
  older: string | null;
}

/** Create a buffer from the first page. */
export function createBuffer(newestFirst: LogRecord[], older: string | null): LineBuffer {
  return { lines: numbered(newestFirst, 0), older };
}

/** Add lines older than all in the buffer. */
export function withOlder(
  before: LineBuffer,
  newestFirst: LogRecord[],
  older: string | null,
): LineBuffer {
  const from = (before.lines[0]?.seq ?? 0) - newestFirst.length;
  return { lines: [...numbered(newestFirst, from), ...before.lines], older };
}

/**
 * Append the lines that are not in the buffer yet, in order of arrival, which may differ from the
 * order of their times.
 *
 * @param linesMax the size of the buffer; the oldest lines beyond it are dropped.
 */
export function withNewer(
  before: LineBuffer,
  newestFirst: LogRecord[],
  linesMax: number,
): LineBuffer {
  const known = new Set(before.lines.slice(-DUPLICATES_WITHIN).map(identity));
  const fresh = newestFirst.filter((line) => !known.has(identity(line)));
  if (fresh.length === 0) return before;
  const from = (before.lines.at(-1)?.seq ?? -1) + 1;
  const lines = [...before.lines, ...numbered(fresh, from)];
  if (lines.length <= linesMax) return { lines, older: before.older };
  const kept = lines.slice(-linesMax);
  return { lines: kept, older: kept[0]?.time_unix_nano ?? null };
}

/** Return the time some seconds before the newest line, in Unix nanoseconds; null without lines. */
export function timeBeforeNewest(buffer: LineBuffer, seconds: number): string | null {
  const moments = buffer.lines.slice(-DUPLICATES_WITHIN).map((line) => BigInt(line.time_unix_nano));
  if (moments.length === 0) return null;
  const newest = moments.reduce((one, other) => (one > other ? one : other));
  const earlier = newest - BigInt(seconds) * 1_000_000_000n;
  return String(earlier > 0n ? earlier : 0n);
}

function numbered(newestFirst: LogRecord[], from: number): BufferedLine[] {
  return newestFirst.toReversed().map((line, index) => ({ ...line, seq: from + index }));
}

function identity(line: LogRecord): string {
  return [line.time_unix_nano, line.trace_id, line.span_id, line.service, line.body].join("\n");
}
