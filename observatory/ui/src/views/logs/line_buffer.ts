/** The lines that are held, oldest first, and how older and newer ones join them. */
import type { LogRecord } from "../../api/types";

/** `seq` names a line as long as it is held: older lines than the first get negative ones. */
export interface BufferedLine extends LogRecord {
  seq: number;
}

/** Among so many of the last lines is whatever may be sent again. */
const LATEST = 3_000;

export interface LineBuffer {
  lines: BufferedLine[];
  /** Where older lines go on; null when there are none. */
  older: string | null;
}

/** What came first, newest first. */
export function buffer(newestFirst: LogRecord[], older: string | null): LineBuffer {
  return { lines: numbered(newestFirst, 0), older };
}

/** With lines that are older than all that are held. */
export function withOlder(before: LineBuffer, newestFirst: LogRecord[], older: string | null): LineBuffer {
  const from = (before.lines[0]?.seq ?? 0) - newestFirst.length;
  return { lines: [...numbered(newestFirst, from), ...before.lines], older };
}

/**
 * With lines that have come since, in the order they came: one may have been written before
 * another that came first. Those that are held already are left out.
 *
 * @param most how many are held at most; the oldest go.
 */
export function withNewer(before: LineBuffer, newestFirst: LogRecord[], most: number): LineBuffer {
  const known = new Set(before.lines.slice(-LATEST).map(identity));
  const fresh = newestFirst.filter((line) => !known.has(identity(line)));
  if (fresh.length === 0) return before;
  const from = (before.lines.at(-1)?.seq ?? -1) + 1;
  const lines = [...before.lines, ...numbered(fresh, from)];
  if (lines.length <= most) return { lines, older: before.older };
  const kept = lines.slice(-most);
  return { lines: kept, older: kept[0]?.time_unix_nano ?? null };
}

/** When the newest of the last lines was written, less so many seconds; null without lines. */
export function newestLess(buffer: LineBuffer, seconds: number): string | null {
  const moments = buffer.lines.slice(-LATEST).map((line) => BigInt(line.time_unix_nano));
  if (moments.length === 0) return null;
  const newest = moments.reduce((one, other) => (one > other ? one : other));
  const less = newest - BigInt(seconds) * 1_000_000_000n;
  return String(less > 0n ? less : 0n);
}

function numbered(newestFirst: LogRecord[], from: number): BufferedLine[] {
  return newestFirst.toReversed().map((line, index) => ({ ...line, seq: from + index }));
}

function identity(line: LogRecord): string {
  return [line.time_unix_nano, line.trace_id, line.span_id, line.service, line.body].join("\n");
}
