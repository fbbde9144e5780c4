/** The JSON API, typed. The server's observatory/shapes.py says what each field means. */

export type Party = "page" | "rules" | "function" | "vendor";
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
export type Attributes = { [key: string]: Value };

export interface Stretch {
  offset_ms: number;
  duration_ms: number;
}

export interface SpanEvent {
  name: string;
  offset_ms: number;
  attributes: Attributes;
}

export interface SpanLink {
  trace_id: string;
  span_id: string;
  attributes: Attributes;
  stored: boolean;
}

export interface LogLine {
  span_id: string | null;
  offset_ms: number;
  severity_number: number;
  severity_text: string;
  event_name: string;
  body: string;
  service: string;
  attributes: Attributes;
}

export interface Row extends Stretch {
  span_id: string;
  parent_span_id: string | null;
  leg: number;
  indent: number;
  depth: number;
  name: string;
  label: string;
  kind: string;
  service: string;
  party: Party;
  hop: string | null;
  carrier: string | null;
  context: string | null;
  root: string | null;
  wait: Stretch | null;
  error: boolean;
  status_code: string;
  status_message: string;
  orphan: boolean;
  covered: boolean;
  scope: string;
  attributes: Attributes;
  resource: Attributes;
  events: SpanEvent[];
  links: SpanLink[];
  logs: LogLine[];
}

export interface Part {
  where: "vendor" | "waiting" | "ours" | "between";
  label: string;
  duration_ms: number;
}

export interface Journey {
  trace_id: string;
  root: string | null;
  order_id: string | null;
  order_state: string | null;
  headline: string;
  summary: string;
  started_at: string;
  duration_ms: number;
  last_received_ms_ago: number;
  services: string[];
  hops: string[];
  spans: number;
  errors: number;
  orphans: number;
  missing_parents: string[];
  covered: number;
  coverage: number;
  parts: Part[];
  rows: Row[];
  logs: LogLine[];
}

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
}

export interface Coverage {
  spans: number;
  traces: number;
  covered: number;
  orphans: number;
  coverage: number | null;
}

/** Why there is no answer: nothing is there, the trace isn't stored, or the question was wrong. */
export class ApiFailure extends Error {
  readonly kind: "unreachable" | "not-found" | "refused";

  constructor(kind: ApiFailure["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** The newest `limit` traces that have all words of `text`. */
export function fetchTraces(text: string, limit: number, signal: AbortSignal): Promise<TraceList> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (text.trim() !== "") query.set("q", text.trim());
  return ask(`/api/traces?${query}`, signal);
}

/** One trace. Throws an `ApiFailure` of kind `not-found` while none of its spans is stored. */
export function fetchJourney(traceId: string, signal: AbortSignal): Promise<Journey> {
  return ask(`/api/traces/${encodeURIComponent(traceId)}`, signal);
}

/** Context coverage over everything stored. */
export function fetchCoverage(signal: AbortSignal): Promise<Coverage> {
  return ask("/api/coverage", signal);
}

async function ask<Answer>(path: string, signal: AbortSignal): Promise<Answer> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(path, { signal });
    body = await response.json();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiFailure("unreachable", `The Observatory at ${location.origin} doesn't answer.`);
  }
  if (response.ok) return body as Answer;
  const { code, message } = (body as { error?: { code?: string; message?: string } }).error ?? {};
  throw new ApiFailure(
    code === "trace_not_found" ? "not-found" : "refused",
    message ?? `${path} answered ${response.status}.`,
  );
}
