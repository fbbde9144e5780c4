/** What the filter language expects at a place in a filter's text. */

/** `from` and `to` are where the word at that place begins and ends; `prefix` is it up to there. */
export interface Expected {
  part: "key" | "operator" | "value" | "joiner";
  /** The key that the operator or the value belongs to; else empty. */
  key: string;
  prefix: string;
  from: number;
  to: number;
}

/** The operators, each with what it asks. */
export const OPERATORS = [
  ["=", "is"],
  ["!=", "is not, in any span"],
  [">", "more than"],
  [">=", "at least"],
  ["<", "less than"],
  ["<=", "at most"],
  ["~", "contains"],
  ["!~", "does not contain"],
  ["exists", "is there at all"],
] as const;

export const JOINERS = [
  ["and", "both must hold"],
  ["or", "either may hold"],
] as const;

const TOKEN = /"(?:[^"\\]|\\.)*"?|[!<>]?=|!~|[<>~()]|[^\s"()=!<>~]+|!/g;
const UNIT = /^(ns|us|µs|ms|s|m|min|h|d)$/;

/** Reads a filter up to `caret`, and says what may come there. */
export function expectedAt(text: string, caret: number): Expected {
  let part: Expected["part"] = "key";
  let key = "";
  let before = "";
  for (const { 0: token, index: from } of text.matchAll(TOKEN)) {
    const to = from + token.length;
    if (caret <= from) break;
    const isOpen = token.startsWith('"') && !/^"(?:[^"\\]|\\.)*"$/.test(token);
    if (caret < to || (caret === to && (isOpen || !/^[()]$/.test(token))))
      return { part, key, prefix: text.slice(from, caret), from, to };
    const word = token.toLowerCase();
    if (token === "(" || word === "and" || word === "or" || (word === "not" && part !== "value"))
      part = "key";
    else if (token === ")" || word === "exists") part = "joiner";
    else if (part === "value") part = "joiner";
    else if (OPERATORS.some(([operator]) => operator === token)) part = "value";
    else if (part === "joiner" && UNIT.test(word) && /^[\d.]+$/.test(before)) part = "joiner";
    else if (token.startsWith('"')) part = "joiner";
    else {
      part = "operator";
      key = token;
    }
    if (part === "key" || part === "joiner") key = "";
    before = token;
  }
  return { part, key, prefix: "", from: caret, to: caret };
}

/** A value as a filter writes it: a number or a truth value as it is, else in quotes. */
export function quoted(value: string): string {
  if (/^(-?\d+(\.\d+)?|true|false)$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** What was typed of a value, without the quotes around it. */
export function unquoted(typed: string): string {
  const inside = /^"((?:[^"\\]|\\.)*)/.exec(typed)?.[1];
  return inside === undefined ? typed : inside.replace(/\\(.)/g, "$1");
}

/** Where in a filter that is wrong there the reader should look: at least one character. */
export function wrongPart(text: string, position: number): [string, string, string] {
  const from = Math.min(Math.max(position, 0), text.length);
  const word = /^(?:"[^"]*"?|\S+)/.exec(text.slice(from))?.[0] ?? "";
  return [text.slice(0, from), word, text.slice(from + word.length)];
}

const TRACE = /^(?:00-)?([0-9a-f]{32})(?:-([0-9a-f]{16})(?:-[0-9a-f]{2})?)?$/i;

/** The trace that a text names, whole or as a `traceparent`, and the span of it; else null. */
export function traceIn(text: string): { traceId: string; spanId: string | null } | null {
  const found = TRACE.exec(text.trim().toLowerCase());
  return found?.[1] ? { traceId: found[1], spanId: found[2] ?? null } : null;
}
