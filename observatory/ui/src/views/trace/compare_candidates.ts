/** Which traces a trace is worth comparing with. */
import type { Trace, TraceLine } from "../../api/types";

export interface Candidates {
  /** How many traces of the same beginning they are taken from. */
  among: number;
  usual: TraceLine | null;
  fastest: TraceLine | null;
  slowest: TraceLine | null;
}

/**
 * Among traces that began the same way, and if there are such, whose order came to the same state: the one of median duration, the fastest and the slowest.
 * The usual one is whole and without errors, if there is such a one.
 */
export function candidatesIn(
  lines: readonly TraceLine[],
  trace: Pick<Trace, "trace_id" | "root" | "order_state">,
): Candidates {
  const alike = lines
    .filter((line) => line.root === trace.root && line.trace_id !== trace.trace_id)
    .sort((a, b) => a.duration_ms - b.duration_ms);
  const ended = alike.filter((line) => line.order_state === trace.order_state);
  const others = ended.length > 0 ? ended : alike;
  const healthy = others.filter((line) => line.errors === 0 && line.orphans === 0);
  const [fastest, slowest] = [others[0] ?? null, others.at(-1) ?? null];
  return {
    among: others.length,
    usual: median(healthy.length > 0 ? healthy : others),
    fastest,
    slowest: slowest === fastest ? null : slowest,
  };
}

function median(sorted: readonly TraceLine[]): TraceLine | null {
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
