/** Filtering and describing the rows of a diff. */
import type { Diff, DiffRow } from "../../api/types";
import { durationText } from "../../format";

/** Return the rows that differ, and their ancestors. */
export function differing(rows: readonly DiffRow[]): DiffRow[] {
  const kept: DiffRow[] = [];
  // From the end, because a row is an ancestor of the deeper rows that follow it.
  let childDepth = -1;
  for (let at = rows.length - 1; at >= 0; at--) {
    const row = rows[at] as DiffRow;
    const isAncestor = row.depth < childDepth;
    if (row.verdict === "same" && !isAncestor) continue;
    kept.push(row);
    childDepth = row.depth;
  }
  return kept.reverse();
}

/** Describe how a step differs: `+412 ms`, `missing`. */
export function deltaText(row: DiffRow): string {
  if (row.verdict === "missing" || row.verdict === "added") return row.verdict;
  const delta = row.delta_ms ?? 0;
  if (row.verdict === "same" && Math.abs(delta) < 1) return "same";
  return delta < 0 ? durationText(delta) : `+${durationText(delta)}`;
}

/** Return the duration of the longer trace in milliseconds. */
export function longestMs(diff: Diff): number {
  return Math.max(diff.left.duration_ms, diff.right.duration_ms);
}

/** Count the rows by verdict. */
export function countByVerdict(rows: readonly DiffRow[]): Record<DiffRow["verdict"], number> {
  const counts = { same: 0, slower: 0, faster: 0, missing: 0, added: 0 };
  for (const row of rows) counts[row.verdict]++;
  return counts;
}
