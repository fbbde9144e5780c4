/** What the waterfall lists, from top to bottom: spans leg after leg, lines below them, gaps. */
import type { Attributes, MissingStep, Row, Step, Unusual } from "../../api/types";

/** A log line or an event of a span, as one line of text. */
export interface Line {
  offset_ms: number;
  what: string;
  text: string;
  tone: "bad" | "warn" | "plain";
  attributes: Attributes;
}

/** What a collapsed row hides. */
export interface Hidden {
  spans: number;
  errors: number;
  from: number;
  to: number;
}

export type Item =
  /** `hidden`: what it hides while collapsed; null where nothing is below it. */
  | { kind: "span"; id: string; row: Row; folded: boolean; hidden: Hidden | null }
  | { kind: "line"; id: string; row: Row; line: Line }
  | { kind: "gap"; id: string; gap: MissingStep };

export interface Shown {
  /** Ids of spans whose subtrees are collapsed. */
  folded: ReadonlySet<string>;
  /** Ids of spans whose lines are shown. */
  opened: ReadonlySet<string>;
  /** Whether the lines of all spans are shown. */
  lines: boolean;
}

/** Everything to list, in order. */
export function itemsOf(rows: readonly Row[], gaps: readonly MissingStep[], shown: Shown): Item[] {
  const items: Item[] = [];
  const due = gaps.map((gap, index) => ({ gap, id: `gap:${index}`, at: viewStateFrom(rows, gap) }));
  const listGaps = (from: number) => {
    for (const { gap, id, at } of due) if (at === from) items.push({ kind: "gap", id, gap });
  };
  for (let at = 0; at < rows.length; ) {
    const row = rows[at] as Row;
    const end = endOf(rows, at);
    listGaps(at);
    const folded = shown.folded.has(row.span_id) && end > at + 1;
    const hidden = end > at + 1 ? hiddenIn(rows, at + 1, end) : null;
    items.push({ kind: "span", id: row.span_id, row, folded, hidden });
    if (shown.lines || shown.opened.has(row.span_id)) items.push(...lineItems(row));
    at = folded ? end : at + 1;
  }
  listGaps(rows.length);
  return items;
}

/** The index of the row before which a gap belongs: after the leg of what comes before it. */
function viewStateFrom(rows: readonly Row[], { after }: MissingStep): number {
  const before = rows.findLast((row) => after && sameHop(row, after));
  if (!before) return rows.length;
  return rows.findLastIndex((row) => row.leg === before.leg) + 1;
}

function sameHop(one: Step, other: Step): boolean {
  return one.hop === other.hop && one.service === other.service && one.name === other.name;
}

/** The index after the last row below `rows[at]` in its leg. */
export function endOf(rows: readonly Row[], at: number): number {
  const top = rows[at] as Row;
  let end = at + 1;
  for (let next = rows[end]; next && next.leg === top.leg && next.indent > top.indent; )
    next = rows[++end];
  return end;
}

/** Ids of the spans that begin a leg and have more below them. */
export function foldable(rows: readonly Row[]): string[] {
  return rows
    .filter((row, at) => row.indent === 0 && endOf(rows, at) > at + 1)
    .map((row) => row.span_id);
}

/** The rows that have to be unfolded for `spanId` to be seen: those above it in its leg. */
export function above(rows: readonly Row[], spanId: string): string[] {
  let at = rows.findIndex((row) => row.span_id === spanId);
  const found: string[] = [];
  let indent = rows[at]?.indent ?? 0;
  while (--at >= 0 && indent > 0) {
    const row = rows[at] as Row;
    if (row.indent < indent) {
      found.push(row.span_id);
      indent = row.indent;
    }
  }
  return found;
}

/** The span that an item's id speaks of. */
export function spanIdOf(itemId: string): string {
  return itemId.split(":")[0] ?? itemId;
}

/** The log lines and events of a span, in the order they happened. */
export function linesOf(row: Pick<Row, "logs" | "events">): Line[] {
  const logs = row.logs.map(
    (log): Line => ({
      offset_ms: log.offset_ms,
      what: log.severity_text || log.event_name || "log",
      text: log.body,
      tone: log.severity_number >= 17 ? "bad" : log.severity_number >= 13 ? "warn" : "plain",
      attributes: log.attributes,
    }),
  );
  const events = row.events.map((event): Line => {
    const thrown = event.name === "exception";
    const { "exception.type": type, "exception.message": message } = event.attributes;
    return {
      offset_ms: event.offset_ms,
      what: event.name,
      text: thrown ? [type, message].filter((part) => part).join(": ") : "",
      tone: thrown ? "bad" : "plain",
      attributes: event.attributes,
    };
  });
  return [...logs, ...events].sort((a, b) => a.offset_ms - b.offset_ms);
}

/**
 * What is missing, as far as it deserves a row of its own: hops. What a missing hop would have
 * called is missing with it.
 */
export function gapsOf(unusual: Unusual | null): MissingStep[] {
  const missing = unusual?.missing ?? [];
  const hops = missing.filter((step) => step.hop !== null);
  return hops.length > 0 ? hops : missing;
}

/** How many things are unusual about a trace. */
export function unusualCount(unusual: Unusual): number {
  return gapsOf(unusual).length + unusual.repeated.length + unusual.added.length;
}

/** In words, what is unusual about a span among traces like its own; null if nothing is. */
export function unusualText(row: Step, unusual: Unusual | null): string | null {
  const same = (hop: Step) => sameHop(hop, row);
  const repeated = unusual?.repeated.find(same);
  if (repeated) return `${repeated.times}×, usually ${repeated.usual_times}`;
  return unusual?.added.some(same) ? "unusual" : null;
}

/** What to say of which span; of a call that is repeated only once, of a hop each time. */
export function unusualTexts(rows: readonly Row[], unusual: Unusual | null): Map<string, string> {
  const found = new Map<string, string>();
  const said = new Set<string>();
  for (const row of unusual === null ? [] : rows) {
    const key = `${row.hop} ${row.service} ${row.name}`;
    if (row.hop === null && said.has(key)) continue;
    said.add(key);
    const unusualMark = unusualText(row, unusual);
    if (unusualMark) found.set(row.span_id, unusualMark);
  }
  return found;
}

function hiddenIn(rows: readonly Row[], from: number, to: number): Hidden {
  const hidden = { spans: to - from, errors: 0, from: Infinity, to: -Infinity };
  for (let at = from; at < to; at++) {
    const row = rows[at] as Row;
    hidden.errors += row.error ? 1 : 0;
    hidden.from = Math.min(hidden.from, row.wait?.offset_ms ?? row.offset_ms);
    hidden.to = Math.max(hidden.to, row.offset_ms + row.duration_ms);
  }
  return hidden;
}

function lineItems(row: Row): Item[] {
  return linesOf(row).map((line, index) => ({
    kind: "line",
    id: `${row.span_id}:${index}`,
    row,
    line,
  }));
}
