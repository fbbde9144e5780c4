/** Who hands on to whom, as `GET /api/map` says. */
import { ask } from "./ask";
import type { Party } from "./journey";

/** One service; the id `?` stands for senders of which nothing is stored. Durations are of its receiving spans. */
export interface MapNode {
  id: string;
  service: string;
  party: Party;
  spans: number;
  errors: number;
  p50_ms: number | null;
  p95_ms: number | null;
}

/**
 * One kind of hop from one service to another. Durations are of the receiving spans, waits are
 * between sender and receiver; `carried` is the share that arrived with the sender's context.
 */
export interface MapEdge {
  from: string;
  to: string;
  hop: string | null;
  count: number;
  per_minute: number;
  errors: number;
  p50_ms: number | null;
  p95_ms: number | null;
  wait_p50_ms: number | null;
  wait_p95_ms: number | null;
  carried: number | null;
  orphans: number;
  broken: boolean;
  orphan_filter: string;
}

export interface HopMap {
  nodes: MapNode[];
  edges: MapEdge[];
}

/** The map of the traces that `selection` holds. */
export function fetchMap(selection: URLSearchParams, signal: AbortSignal): Promise<HopMap> {
  return ask(`/api/map?${selection}`, signal);
}
