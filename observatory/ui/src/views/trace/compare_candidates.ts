/** The traces that the explorer offers to compare a trace with. */

import type { Trace, TraceLine } from "../../api/types";
import { stateOf } from "../../promoted";

export interface Candidates {
  /** The number of traces from which the candidates are chosen. */
  count: number;
  typical: TraceLine | null;
  fastest: TraceLine | null;
  slowest: TraceLine | null;
}

/**
 * Return the trace of median duration, the fastest and the slowest among traces with the same root.
 *
 * If any of them ended in the same state, only these are considered. The median is that of the
 * traces without errors and orphans, if there are any.
 */
export function candidatesIn(
  lines: readonly TraceLine[],
  trace: Pick<Trace, "trace_id" | "root">,
): Candidates {
  const sameRoot = lines
    .filter((line) => line.root === trace.root && line.trace_id !== trace.trace_id)
    .sort((a, b) => a.duration_ms - b.duration_ms);
  const state = stateOf(trace);
  const sameState = sameRoot.filter((line) => stateOf(line) === state);
  const others = sameState.length > 0 ? sameState : sameRoot;
  const healthy = others.filter((line) => line.errors === 0 && line.orphans === 0);
  const [fastest, slowest] = [others[0] ?? null, others.at(-1) ?? null];
  return {
    count: others.length,
    typical: median(healthy.length > 0 ? healthy : others),
    fastest,
    slowest: slowest === fastest ? null : slowest,
  };
}

function median(sorted: readonly TraceLine[]): TraceLine | null {
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
