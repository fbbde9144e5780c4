/** Log lines, as `GET /api/logs` says. */
import { ask } from "./ask";
import type { Attributes } from "./journey";

export interface StoredLine {
  time_unix_nano: string;
  time: string;
  severity_number: number;
  severity_text: string;
  service: string;
  body: string;
  event_name: string;
  trace_id: string | null;
  span_id: string | null;
  attributes: Attributes;
}

/** Newest first; `next` is where the older ones go on, null when there are none. */
export interface LogPage {
  logs: StoredLine[];
  next: string | null;
}

/** `selection` as every endpoint takes it; the others narrow it further. */
export interface LogQuestion {
  selection: URLSearchParams;
  severityAtLeast: number;
  text: string;
  trace: string;
}

/** A page of lines before or after a place, or the newest. */
export function fetchLogs(
  question: LogQuestion,
  place: { before: string } | { after: string } | null,
  limit: number,
  signal: AbortSignal,
): Promise<LogPage> {
  const query = new URLSearchParams(question.selection);
  if (question.severityAtLeast > 0)
    query.set("severity_at_least", String(question.severityAtLeast));
  if (question.text !== "") query.set("text", question.text);
  if (question.trace !== "") query.set("trace", question.trace);
  for (const [name, value] of Object.entries(place ?? {})) query.set(name, value);
  query.set("limit", String(limit));
  return ask(`/api/logs?${query}`, signal);
}
