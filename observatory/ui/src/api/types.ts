/** Names for the API's types, each derived from the response of a path. */
import type { ResponseOf } from "./client";
import type { paths } from "./schema";

/** Attributes by key; a value is any JSON. */
export type Attributes = { [key: string]: unknown };

export type Sort = NonNullable<
  NonNullable<paths["/api/traces"]["get"]["parameters"]["query"]>["sort"]
>;
export type TraceList = ResponseOf<"/api/traces">;
export type TraceLine = TraceList["traces"][number];
export type Heatmap = ResponseOf<"/api/heatmap">;
export type Comparison = ResponseOf<"/api/compare">;
export type ComparedAttribute = Comparison["attributes"][number];
export type ComparedValue = ComparedAttribute["values"][number];

export type Trace = ResponseOf<"/api/traces/{trace_id}">;
export type Row = Trace["rows"][number];
export type Party = Row["party"];
export type SpanEvent = Row["events"][number];
export type SpanLink = Row["links"][number];
export type SpanLog = Row["logs"][number];
export type SourceLocation = NonNullable<Row["source"]>;
/** A segment of the critical path. */
export type PathSegment = Trace["critical_path"][number];
export type Repeat = Trace["repeats"][number];
export type Finding = Trace["findings"][number];
export type IncomingLink = Trace["linked_from"][number];
export type Tone = NonNullable<Trace["state_tone"]>;
export type TimeShare = Trace["parts"][number];
export type SkewedClock = NonNullable<Trace["skew"]>["services"][number];

export type Unusual = ResponseOf<"/api/traces/{trace_id}/unusual">;
export type MissingStep = Unusual["missing"][number];
/** The hop, service and name that identify the same step in different traces. */
export type Step = NonNullable<MissingStep["after"]>;

export type Diff = ResponseOf<"/api/diff/{left}/{right}">;
export type DiffRow = Diff["rows"][number];
export type DiffSide = NonNullable<DiffRow["left"]>;
export type DiffTrace = Diff["left"];
export type Verdict = DiffRow["verdict"];

export type HopMap = ResponseOf<"/api/map">;
export type MapNode = HopMap["nodes"][number];
export type MapEdge = HopMap["edges"][number];

export type LogPage = ResponseOf<"/api/logs">;
export type LogRecord = LogPage["logs"][number];

export type Metric = ResponseOf<"/api/metrics">["metrics"][number];
export type MetricSeries = ResponseOf<"/api/metrics/series">;
export type MetricPoint = MetricSeries["series"][number]["points"][number];

export type SqlResult = ResponseOf<"/api/ask", "post">;
export type SqlColumn = SqlResult["columns"][number];
export type SqlSchema = ResponseOf<"/api/ask/schema">;
export type SqlView = SqlSchema["views"][number];

export type Health = ResponseOf<"/api/health">;
export type Stored = ResponseOf<"/api/storage">;
export type Faults = ResponseOf<"/api/faults">;
export type Fault = Faults["faults"][number];
export type ImportResult = ResponseOf<"/api/import", "post">;
/** How to open a source line: the project's folder, and the template of the editor's address. */
export type Editor = Partial<Pick<Health, "source_root" | "editor">>;
