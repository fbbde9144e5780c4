/** Search within one trace: names, services, attributes, events and log lines. */
import type { Attributes, Row } from "../../api/types";

/** A searchable text of a span. */
interface SearchText {
  where: "name" | "attribute" | "resource" | "event" | "log" | "status" | "id";
  /** The name shown for it, such as the attribute's key. */
  label: string;
  text: string;
}

export interface Match {
  spanId: string;
  where: SearchText["where"];
  label: string;
}

const searchTexts = new WeakMap<Row, SearchText[]>();

/** Normalise a search: lower case, and `key = "value"` as `key=value`. */
export function needleOf(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/\s*=\s*"?([^"]*)"?$/, "=$1");
}

/** Return the spans that contain a text, each with the first match; none for an empty text. */
export function matchesIn(rows: readonly Row[], text: string): Match[] {
  const needle = needleOf(text);
  if (needle === "") return [];
  const matches: Match[] = [];
  for (const row of rows) {
    const match = searchTextsOf(row).find((searchText) => searchText.text.includes(needle));
    if (match) matches.push({ spanId: row.span_id, where: match.where, label: match.label });
  }
  return matches;
}

/** Split a text at the matches of a needle; the pieces at odd indexes are the matches. */
export function splitByMatches(text: string, needle: string): string[] {
  if (needle === "") return [text];
  const pieces: string[] = [];
  const lower = text.toLowerCase();
  // Lower case can have another length, as that of İ has: positions would not match.
  if (lower.length !== text.length) return [text];
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    pieces.push(text.slice(from, at), text.slice(at, at + needle.length));
    from = at + needle.length;
  }
  return [...pieces, text.slice(from)];
}

function searchTextsOf(row: Row): SearchText[] {
  const cached = searchTexts.get(row);
  if (cached) return cached;
  const texts: SearchText[] = [];
  const add = (where: SearchText["where"], label: string, text: string) =>
    texts.push({ where, label, text: text.toLowerCase() });
  const addAll = (where: SearchText["where"], attributes: Attributes, prefix = "") => {
    for (const [key, value] of Object.entries(attributes))
      add(
        where,
        `${prefix}${key}`,
        `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
      );
  };
  add("name", "name", row.label);
  add("name", "service", row.service);
  add("name", "name", row.name);
  if (row.hop) add("name", "hop", row.hop);
  add("status", "status", row.status_message);
  add("id", "span id", row.span_id);
  for (const log of row.logs) {
    add("log", "log", `${log.severity_text} ${log.event_name} ${log.body}`);
    addAll("log", log.attributes, "log: ");
  }
  for (const event of row.events) {
    add("event", "event", event.name);
    addAll("event", event.attributes);
  }
  addAll("attribute", row.attributes);
  addAll("resource", row.resource);
  searchTexts.set(row, texts);
  return texts;
}
