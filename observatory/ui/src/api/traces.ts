/** Many traces, as `observatory/shapes/traces.py` says. */
import { ask } from "./ask";

export interface TraceLine {
  trace_id: string;
  root: string;
  root_service: string;
  order_id: string | null;
  order_state: string | null;
  services: string[];
  spans: number;
  errors: number;
  orphans: number;
  coverage: number;
  started_at: string;
  duration_ms: number;
}

export interface TraceList {
  revision: string;
  total: number;
  traces: TraceLine[];
  next_cursor: string | null;
}

export const SORTS = ["start", "duration", "spans", "errors"] as const;
export type Sort = (typeof SORTS)[number];

export interface Listing {
  sort: Sort;
  order: "desc" | "asc";
  limit: number;
  /** Where an earlier answer ended. */
  cursor?: string | null;
}

/** A page of the traces that `selection` (as `selectionParameters` writes it) is about. */
export function fetchTraces(
  selection: URLSearchParams,
  { sort, order, limit, cursor }: Listing,
  signal: AbortSignal,
): Promise<TraceList> {
  const query = new URLSearchParams(selection);
  query.set("limit", String(limit));
  query.set("sort", sort);
  query.set("order", order);
  if (cursor) query.set("cursor", cursor);
  return ask(`/api/traces?${query}`, signal);
}
