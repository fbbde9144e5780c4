/** One trace, as `observatory/shapes/journey.py` says. */
import { ask } from "./ask";

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

/** Where in the source a span's code is; `file` may be relative to the project's folder. */
export interface Source {
  file: string;
  line: number | null;
  function: string | null;
}

/** A stretch of the chain of work and waiting that decided how long the trace took. */
export interface PathPiece extends Stretch {
  span_id: string;
  kind: "run" | "wait";
}

/** How far a service's clock seems to be off (positive: ahead), and how that shows. */
export interface SkewedClock {
  service: string;
  offset_ms: number;
  evidence: string;
}

/** What a hop is known by among traces of one shape. */
export interface HopName {
  hop: string | null;
  service: string;
  name: string;
}

/** A step that is seldom there, or usually is: `usual_share` of the others have it. */
export interface Step extends HopName {
  usual_share: number;
  /** Of one that is missing: the step of this trace after which it usually comes. */
  after?: HopName | null;
}

/**
 * How the trace differs from `compared_with` recent others that began the same way, and if
 * `same_state`, came to the same state.
 */
export interface Unusual {
  compared_with: number;
  same_state: boolean;
  missing: Step[];
  repeated: (HopName & { times: number; usual_times: number })[];
  added: Step[];
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
  source: Source | null;
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
  critical_path: PathPiece[];
  /** Null where all clocks agree. */
  skew: { services: SkewedClock[] } | null;
  skew_corrected: boolean;
  /** Whether there are more spans than `rows` holds. */
  truncated: boolean;
}

/**
 * One trace. Throws an `ApiFailure` of kind `not-found` while none of its spans is stored.
 *
 * @param correctSkew asks for times as they would be if all clocks agreed.
 */
export function fetchJourney(
  traceId: string,
  correctSkew: boolean,
  signal: AbortSignal,
): Promise<Journey> {
  const query = correctSkew ? "?correct_skew=1" : "";
  return ask(`/api/traces/${encodeURIComponent(traceId)}${query}`, signal);
}

/** What sets a trace apart from others like it. */
export function fetchUnusual(traceId: string, signal: AbortSignal): Promise<Unusual> {
  return ask(`/api/traces/${encodeURIComponent(traceId)}/unusual`, signal);
}

/** Where a copy of the trace can be had as OTLP/JSON, which other tools open too. */
export function exportPath(traceId: string): string {
  return `/api/export?trace=${encodeURIComponent(traceId)}`;
}
