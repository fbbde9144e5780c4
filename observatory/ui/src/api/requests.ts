/** One function for each request that the explorer makes. */
import { get, send } from "./client";
import type {
  Comparison,
  Diff,
  Faults,
  Health,
  Heatmap,
  HopMap,
  LogPage,
  Metric,
  MetricSeries,
  Sort,
  SqlResult,
  SqlSchema,
  Stored,
  Trace,
  TraceList,
  Unusual,
} from "./types";

/** Return the state of the server, and how source lines are opened. */
export function fetchHealth(signal: AbortSignal): Promise<Health> {
  return get("/api/health", signal);
}

export const SORTS = ["start", "duration", "spans", "errors"] as const satisfies readonly Sort[];

export interface TraceListing {
  sort: Sort;
  order: "desc" | "asc";
  limit: number;
  /** The `next_cursor` of the previous page. */
  cursor?: string | null;
}

/** Return a page of the selected traces. */
export function fetchTraces(
  selection: URLSearchParams,
  { cursor, ...listing }: TraceListing,
  signal: AbortSignal,
): Promise<TraceList> {
  const query = { ...listing, cursor: cursor ?? undefined };
  return get("/api/traces", signal, { selection, query });
}

/** Have the server parse a filter. Throws an `ApiFailure` with a position if it is not valid. */
export async function checkFilter(q: string, signal: AbortSignal): Promise<void> {
  await get("/api/traces", signal, { query: { q, limit: 1 } });
}

/** Return attribute keys that contain `prefix`, those that begin with it first. */
export async function fetchKeys(prefix: string, signal: AbortSignal) {
  return (await get("/api/keys", signal, { query: { prefix } })).keys;
}

/** Return values of a key that contain `prefix`: first those that begin with it, the most frequent first. */
export async function fetchValues(key: string, prefix: string, signal: AbortSignal) {
  return (await get("/api/values", signal, { query: { key, prefix } })).values;
}

/** Count the selected traces by time and duration. */
export function fetchHeatmap(
  selection: URLSearchParams,
  size: { columns: number; rows: number },
  signal: AbortSignal,
): Promise<Heatmap> {
  return get("/api/heatmap", signal, { selection, query: size });
}

/**
 * Rank attributes by how differently they are distributed inside and outside of a subset.
 *
 * @param subset query parameters that name the subset of the selection.
 */
export function fetchComparison(
  selection: URLSearchParams,
  subset: URLSearchParams,
  signal: AbortSignal,
): Promise<Comparison> {
  return get("/api/compare", signal, {
    selection: new URLSearchParams([...selection, ...subset]),
  });
}

/**
 * Return one trace. Throws an `ApiFailure` of kind `not-found` while none of its spans is stored.
 *
 * @param correctSkew corrects times for clocks that disagree.
 */
export function fetchTrace(
  traceId: string,
  correctSkew: boolean,
  signal: AbortSignal,
): Promise<Trace> {
  return get("/api/traces/{trace_id}", signal, {
    parameters: { trace_id: traceId },
    query: skewQuery(correctSkew),
  });
}

/** Return the steps in which a trace differs from recent others that began the same way. */
export function fetchUnusual(traceId: string, signal: AbortSignal): Promise<Unusual> {
  return get("/api/traces/{trace_id}/unusual", signal, { parameters: { trace_id: traceId } });
}

/**
 * Return two traces aligned by hop. Throws an `ApiFailure` of kind `not-found` if one isn't stored.
 *
 * @param correctSkew corrects times for clocks that disagree.
 */
export function fetchDiff(
  left: string,
  right: string,
  correctSkew: boolean,
  signal: AbortSignal,
): Promise<Diff> {
  return get("/api/diff/{left}/{right}", signal, {
    parameters: { left, right },
    query: skewQuery(correctSkew),
  });
}

function skewQuery(correctSkew: boolean) {
  return { correct_skew: correctSkew ? ("1" as const) : undefined };
}

/** Return the services of the selected traces and the hops between them. */
export function fetchMap(selection: URLSearchParams, signal: AbortSignal): Promise<HopMap> {
  return get("/api/map", signal, { selection });
}

export interface LogQuery {
  selection: URLSearchParams;
  /** Lowest OpenTelemetry severity number to return; 0 for all. */
  severityAtLeast: number;
  text: string;
  trace: string;
}

/** Return a page of log lines before or after a point in time, or the newest; newest first. */
export function fetchLogs(
  { selection, severityAtLeast, text, trace }: LogQuery,
  from: { before: string } | { after: string } | null,
  limit: number,
  signal: AbortSignal,
): Promise<LogPage> {
  const query = { severity_at_least: severityAtLeast || undefined, text, trace, limit, ...from };
  return get("/api/logs", signal, { selection, query });
}

/** Return every metric that was received. */
export function fetchMetrics(signal: AbortSignal): Promise<{ metrics: Metric[] }> {
  return get("/api/metrics", signal);
}

/** Return the points of one metric of one service. */
export function fetchSeries(
  { name, service }: { name: string; service: string },
  range: URLSearchParams,
  signal: AbortSignal,
): Promise<MetricSeries> {
  return get("/api/metrics/series", signal, { selection: range, query: { name, service } });
}

/** Run an SQL query and return at most `limit` rows. */
export function runSql(sql: string, limit: number, signal: AbortSignal): Promise<SqlResult> {
  return send("post", "/api/ask", { sql, limit }, { signal });
}

/** Return the views and columns that SQL can query, and example queries. */
export function fetchSqlSchema(signal: AbortSignal): Promise<SqlSchema> {
  return get("/api/ask/schema", signal);
}

/** Return how much is stored, and for how long. */
export function fetchStored(signal: AbortSignal): Promise<Stored> {
  return get("/api/storage", signal);
}

/** Delete everything that is stored. */
export async function clearAll(): Promise<void> {
  await send("post", "/api/clear", { confirm: "clear" });
}

/** Return the address that downloads the selected traces as OTLP/JSON. */
export function exportPath(selection: URLSearchParams): string {
  const query = selection.toString();
  return query === "" ? "/api/export" : `/api/export?${query}`;
}

/** Return the address that downloads one trace as OTLP/JSON. */
export function traceExportPath(traceId: string): string {
  return exportPath(new URLSearchParams({ trace: traceId }));
}

/** Return the app's catalogue of faults and which of them are on. */
export function fetchFaults(signal: AbortSignal): Promise<Faults> {
  return get("/api/faults", signal);
}

/** Turn one fault on or off; returns the state of all. */
export function setFault(name: string, on: boolean): Promise<Faults> {
  return send("put", "/api/faults/{name}", { on }, { parameters: { name } });
}

/** Turn every fault off; returns the state of all. */
export function turnAllFaultsOff(): Promise<Faults> {
  return send("put", "/api/faults", { on: false });
}
