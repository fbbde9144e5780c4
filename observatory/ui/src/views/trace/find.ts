/** Search within one trace: in names, services, attributes, events and log lines. */
import type { Attributes, Row } from "../../api/types";

/** A place in a span where words can be found. */
interface Passage {
  where: "name" | "attribute" | "resource" | "event" | "log" | "status" | "id";
  /** What to call it to the reader: an attribute's key, or the like. */
  called: string;
  text: string;
}

export interface Match {
  spanId: string;
  where: Passage["where"];
  called: string;
}

const passages = new WeakMap<Row, Passage[]>();

/** The text as it is looked for: whatever case, and `key = "value"` like `key=value`. */
export function needleOf(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/\s*=\s*"?([^"]*)"?$/, "=$1");
}

/** The spans in which the text is found, each with the first place; none for an empty text. */
export function matchesIn(rows: readonly Row[], text: string): Match[] {
  const needle = needleOf(text);
  if (needle === "") return [];
  const matches: Match[] = [];
  for (const row of rows) {
    const found = passagesOf(row).find((passage) => passage.text.includes(needle));
    if (found) matches.push({ spanId: row.span_id, where: found.where, called: found.called });
  }
  return matches;
}

/** `text` cut where the needle begins and ends: every second piece is a match. */
export function cutBy(text: string, needle: string): string[] {
  if (needle === "") return [text];
  const pieces: string[] = [];
  const lower = text.toLowerCase();
  // Where lower case has another length (İ), positions don't carry over.
  if (lower.length !== text.length) return [text];
  let from = 0;
  for (let at = lower.indexOf(needle); at >= 0; at = lower.indexOf(needle, from)) {
    pieces.push(text.slice(from, at), text.slice(at, at + needle.length));
    from = at + needle.length;
  }
  return [...pieces, text.slice(from)];
}

function passagesOf(row: Row): Passage[] {
  const known = passages.get(row);
  if (known) return known;
  const made: Passage[] = [];
  const add = (where: Passage["where"], called: string, text: string) =>
    made.push({ where, called, text: text.toLowerCase() });
  const addAll = (where: Passage["where"], attributes: Attributes, prefix = "") => {
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
  passages.set(row, made);
  return made;
}
