/** The items of the waterfall from top to bottom: spans by leg, lines below them, missing hops. */

import type { Attributes, MissingStep, Repeat, Row, Step, Unusual } from "../../api/types";
import { durationText } from "../../format";
import { severityTone } from "../../severity";

/** A log line or event of a span. */
export interface Line {
  offset_ms: number;
  label: string;
  text: string;
  tone: "bad" | "warn" | "plain";
  attributes: Attributes;
}

/** The spans below a row, which are hidden while it is collapsed. */
export interface Hidden {
  spans: number;
  errors: number;
  from: number;
  to: number;
}

export type Item =
  /** `hidden` describes the spans below it; null if it has none. */
  | { kind: "span"; id: string; row: Row; folded: boolean; hidden: Hidden | null }
  | { kind: "line"; id: string; row: Row; line: Line }
  /** The repeats of the step that begins with `row`; they are listed below if `expanded`. */
  | { kind: "repeats"; id: string; row: Row; repeat: Repeat; expanded: boolean }
  | { kind: "gap"; id: string; gap: MissingStep };

export interface Shown {
  /** Ids of spans whose subtrees are collapsed. */
  folded: ReadonlySet<string>;
  /** Ids of spans whose lines are shown. */
  opened: ReadonlySet<string>;
  /** Whether the lines of all spans are shown. */
  lines: boolean;
  /** Ids of the spans whose repeats are shown. */
  expanded: ReadonlySet<string>;
}

/** Return the items to list, in order. */
export function itemsOf(
  rows: readonly Row[],
  gaps: readonly MissingStep[],
  shown: Shown,
  repeats: readonly Repeat[] = [],
): Item[] {
  const items: Item[] = [];
  const repeatOf = new Map(repeats.map((repeat) => [repeat.first, repeat]));
  const repeated = new Set(repeats.flatMap((repeat) => repeat.repeats));
  const indexes = new Map(rows.map((row, index) => [row.span_id, index]));
  const due = gaps.map((gap, index) => ({ gap, id: `gap:${index}`, at: listIndexOf(rows, gap) }));
  const listGaps = (from: number) => {
    for (const { gap, id, at } of due) if (at === from) items.push({ kind: "gap", id, gap });
  };
  const listRepeats = (row: Row, repeat: Repeat) => {
    const expanded = shown.expanded.has(repeat.first);
    items.push({ kind: "repeats", id: repeatsId(repeat.first), row, repeat, expanded });
    for (const spanId of expanded ? repeat.repeats : []) {
      const from = indexes.get(spanId);
      if (from !== undefined) list(from, endOf(rows, from), true);
    }
  };
  const list = (from: number, until: number, inRepeat: boolean) => {
    // The repeats to list when the step that they repeat ends, the innermost step last.
    const ending: { end: number; row: Row; repeat: Repeat }[] = [];
    for (let at = from; at < until; ) {
      const row = rows[at] as Row;
      const end = endOf(rows, at);
      if (!inRepeat) listGaps(at);
      if (repeated.has(row.span_id) && !inRepeat) {
        at = end;
      } else {
        const folded = shown.folded.has(row.span_id) && end > at + 1;
        const hidden = end > at + 1 ? hiddenIn(rows, at + 1, end) : null;
        items.push({ kind: "span", id: row.span_id, row, folded, hidden });
        if (shown.lines || shown.opened.has(row.span_id)) items.push(...lineItems(row));
        const repeat = repeatOf.get(row.span_id);
        if (repeat) ending.push({ end, row, repeat });
        at = folded ? end : at + 1;
      }
      for (let last = ending.at(-1); last && last.end <= at; last = ending.at(-1)) {
        ending.pop();
        listRepeats(last.row, last.repeat);
      }
    }
  };
  list(0, rows.length, false);
  listGaps(rows.length);
  return items;
}

/** Return the id of the item for the repeats of a span. */
export function repeatsId(spanId: string): string {
  return `repeats:${spanId}`;
}

/** Return the first span of the repeats that hide a span; null if none does. */
export function repeatHiding(
  rows: readonly Row[],
  repeats: readonly Repeat[],
  spanId: string,
): string | null {
  const hidden = new Set([spanId, ...ancestors(rows, spanId)]);
  return repeats.find((repeat) => repeat.repeats.some((id) => hidden.has(id)))?.first ?? null;
}

/** Describe the repeats of a step: `29 more like this`. */
export function repeatText({ repeats, shortest_ms, longest_ms }: Repeat): string {
  const [shortest, longest] = [durationText(shortest_ms), durationText(longest_ms)];
  const took = shortest === longest ? shortest : `${shortest} to ${longest}`;
  return `${repeats.length} more like this, ${took} each`;
}

/** Return the index at which a missing step is listed: after the leg of the step before it. */
function listIndexOf(rows: readonly Row[], { after }: MissingStep): number {
  const before = rows.findLast((row) => after && isSameStep(row, after));
  if (!before) return rows.length;
  return rows.findLastIndex((row) => row.leg === before.leg) + 1;
}

function isSameStep(one: Step, other: Step): boolean {
  return one.hop === other.hop && one.service === other.service && one.name === other.name;
}

/** Return the index after the last descendant of `rows[at]` in its leg. */
export function endOf(rows: readonly Row[], at: number): number {
  const top = rows[at] as Row;
  let end = at + 1;
  for (let next = rows[end]; next && next.leg === top.leg && next.indent > top.indent; )
    next = rows[++end];
  return end;
}

/** Return the ids of spans that begin a leg and have descendants in it. */
export function foldable(rows: readonly Row[]): string[] {
  return rows
    .filter((row, at) => row.indent === 0 && endOf(rows, at) > at + 1)
    .map((row) => row.span_id);
}

/** Return the ids of the ancestors of a span in its leg, nearest first. */
export function ancestors(rows: readonly Row[], spanId: string): string[] {
  let at = rows.findIndex((row) => row.span_id === spanId);
  const ids: string[] = [];
  let indent = rows[at]?.indent ?? 0;
  while (--at >= 0 && indent > 0) {
    const row = rows[at] as Row;
    if (row.indent < indent) {
      ids.push(row.span_id);
      indent = row.indent;
    }
  }
  return ids;
}

/** Return the span id in an item's id. */
export function spanIdOf(itemId: string): string {
  return itemId.split(":")[0] ?? itemId;
}

/** Return the log lines and events of a span in order of time. */
export function linesOf(row: Pick<Row, "logs" | "events">): Line[] {
  const logs = row.logs.map(
    (log): Line => ({
      offset_ms: log.offset_ms,
      label: log.severity_text || log.event_name || "log",
      text: log.body,
      tone: severityTone(log.severity_number),
      attributes: log.attributes,
    }),
  );
  const events = row.events.map((event): Line => {
    const isException = event.name === "exception";
    const { "exception.type": type, "exception.message": message } = event.attributes;
    return {
      offset_ms: event.offset_ms,
      label: event.name,
      text: isException ? [type, message].filter((part) => part).join(": ") : "",
      tone: isException ? "bad" : "plain",
      attributes: event.attributes,
    };
  });
  return [...logs, ...events].sort((a, b) => a.offset_ms - b.offset_ms);
}

/**
 * Return the missing steps that get a row of their own: not those that follow from another missing
 * step, and only the hops if a hop is missing.
 */
export function gapsOf(unusual: Unusual | null): MissingStep[] {
  const missing = unusual?.missing.filter((step) => !step.follows) ?? [];
  const hops = missing.filter((step) => step.hop !== null);
  return hops.length > 0 ? hops : missing;
}

/** Count the missing, repeated and added steps of a trace. */
export function unusualCount(unusual: Unusual): number {
  return gapsOf(unusual).length + unusual.repeated.length + unusual.added.length;
}

/** Describe why a step is unusual; null if it isn't. */
export function unusualText(row: Step, unusual: Unusual | null): string | null {
  const same = (hop: Step) => isSameStep(hop, row);
  const repeated = unusual?.repeated.find(same);
  if (repeated) return `${repeated.times}×, usually ${repeated.usual_times}`;
  return unusual?.added.some(same) ? "unusual" : null;
}

/**
 * Return descriptions of unusual steps by span id. Of a repeated call, only the first span has one;
 * of a repeated hop, each span has.
 */
export function unusualTexts(rows: readonly Row[], unusual: Unusual | null): Map<string, string> {
  const descriptions = new Map<string, string>();
  const described = new Set<string>();
  for (const row of unusual === null ? [] : rows) {
    const key = `${row.hop} ${row.service} ${row.name}`;
    if (row.hop === null && described.has(key)) continue;
    described.add(key);
    const unusualMark = unusualText(row, unusual);
    if (unusualMark) descriptions.set(row.span_id, unusualMark);
  }
  return descriptions;
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
