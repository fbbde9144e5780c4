/** Two traces side by side, as `observatory/shapes/diff.py` says. */
import { ask } from "./ask";

export type Verdict = "same" | "slower" | "faster" | "missing" | "added";

/** One of the two traces. */
export interface DiffHead {
  trace_id: string;
  root: string | null;
  order_id: string | null;
  order_state: string | null;
  started_at: string;
  duration_ms: number;
  spans: number;
  errors: number;
  orphans: number;
}

/** A span of one trace, in a row of both. */
export interface DiffSide {
  span_id: string;
  offset_ms: number;
  duration_ms: number;
  wait_ms: number;
  error: boolean;
}

/** The same hop in both; a side is null where it is missing. */
export interface DiffRow {
  key: string;
  hop: string | null;
  service: string;
  name: string;
  depth: number;
  left: DiffSide | null;
  right: DiffSide | null;
  delta_ms: number | null;
  verdict: Verdict;
}

/** Piece of a sentence. */
export interface Phrase {
  text: string;
  strong: boolean;
}

export interface Diff {
  left: DiffHead;
  right: DiffHead;
  /** Whether clocks of either can't be right. */
  skewed: boolean;
  rows: DiffRow[];
  sentence: Phrase[];
}

/**
 * Two traces, aligned by hop. Throws an `ApiFailure` of kind `not-found` where one isn't stored.
 *
 * @param correctSkew asks for times as they would be if all clocks agreed.
 */
export function fetchDiff(
  left: string,
  right: string,
  correctSkew: boolean,
  signal: AbortSignal,
): Promise<Diff> {
  const path = `/api/diff/${encodeURIComponent(left)}/${encodeURIComponent(right)}`;
  return ask(correctSkew ? `${path}?correct_skew=1` : path, signal);
}
