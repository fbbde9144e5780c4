/** Which rows of a comparison to show, and what they say. */
import type { Diff, DiffRow } from "../../api/types";
import { durationText } from "../../format";

/** The rows that differ, and those that they are below of. */
export function differing(rows: readonly DiffRow[]): DiffRow[] {
  const kept: DiffRow[] = [];
  // From the end: a row is above the next ones as long as they are deeper.
  let needed = -1;
  for (let at = rows.length - 1; at >= 0; at--) {
    const row = rows[at] as DiffRow;
    const isAbove = row.depth < needed;
    if (row.verdict === "same" && !isAbove) continue;
    kept.push(row);
    needed = row.depth;
  }
  return kept.reverse();
}

/** How the step differs, in a word or two: `+412 ms`, `missing`. */
export function deltaText(row: DiffRow): string {
  if (row.verdict === "missing" || row.verdict === "added") return row.verdict;
  const delta = row.delta_ms ?? 0;
  if (row.verdict === "same" && Math.abs(delta) < 1) return "same";
  return delta < 0 ? durationText(delta) : `+${durationText(delta)}`;
}

/** The last moment of either trace, in milliseconds after its own beginning. */
export function wholeMs(diff: Diff): number {
  return Math.max(diff.left.duration_ms, diff.right.duration_ms);
}

/** How many rows have which verdict. */
export function tally(rows: readonly DiffRow[]): Record<DiffRow["verdict"], number> {
  const counts = { same: 0, slower: 0, faster: 0, missing: 0, added: 0 };
  for (const row of rows) counts[row.verdict]++;
  return counts;
}
