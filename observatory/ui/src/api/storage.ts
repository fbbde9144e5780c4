/** What is held, as `GET /api/storage` says, and `POST /api/clear`. */
import { ask } from "./ask";

/** Moments are ISO 8601 in UTC. */
export interface Stored {
  spans: number;
  logs: number;
  metrics: number;
  traces: number;
  file_bytes: number;
  memory_bytes: number;
  oldest: string | null;
  newest: string | null;
  retention: { age_hours: number; size_mb: number };
  path: string;
}

export function fetchStored(signal: AbortSignal): Promise<Stored> {
  return ask("/api/storage", signal);
}

/** Forgets everything. */
export function clearAll(): Promise<unknown> {
  return ask("/api/clear", new AbortController().signal, { confirm: "clear" });
}
