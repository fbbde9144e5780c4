/** The parts of the filter language that the filter box needs: tokens, completion, quoting. */

/**
 * What the grammar expects at the caret. The word at the caret extends from `from` to `to`;
 * `prefix` is its part before the caret.
 */
export interface Expected {
  kind: "key" | "operator" | "value" | "joiner";
  /** The key that the operator or value belongs to; else empty. */
  key: string;
  prefix: string;
  from: number;
  to: number;
}

/** The comparison operators with their meanings. */
export const OPERATORS = [
  ["=", "is"],
  ["!=", "is not, in any span"],
  [">", "more than"],
  [">=", "at least"],
  ["<", "less than"],
  ["<=", "at most"],
  ["~", "contains"],
  ["!~", "does not contain"],
  ["exists", "is present"],
] as const;

export const JOINERS = [
  ["and", "both must hold"],
  ["or", "either may hold"],
] as const;

const TOKEN = /"(?:[^"\\]|\\.)*"?|[!<>]?=|!~|[<>~()]|[^\s"()=!<>~]+|!/g;
const UNIT = /^(ns|us|µs|ms|s|m|min|h|d)$/;

/** Parse a filter up to `caret`, and return what the grammar expects there. */
export function expectedAt(text: string, caret: number): Expected {
  let kind: Expected["kind"] = "key";
  let key = "";
  let before = "";
  for (const { 0: token, index: from } of text.matchAll(TOKEN)) {
    const to = from + token.length;
    if (caret <= from) break;
    const isOpen = token.startsWith('"') && !/^"(?:[^"\\]|\\.)*"$/.test(token);
    if (caret < to || (caret === to && (isOpen || !/^[()]$/.test(token))))
      return { kind, key, prefix: text.slice(from, caret), from, to };
    const word = token.toLowerCase();
    if (token === "(" || word === "and" || word === "or" || (word === "not" && kind !== "value"))
      kind = "key";
    else if (token === ")" || word === "exists") kind = "joiner";
    else if (kind === "value") kind = "joiner";
    else if (OPERATORS.some(([operator]) => operator === token)) kind = "value";
    else if (kind === "joiner" && UNIT.test(word) && /^[\d.]+$/.test(before)) kind = "joiner";
    else if (token.startsWith('"')) kind = "joiner";
    else {
      kind = "operator";
      key = token;
    }
    if (kind === "key" || kind === "joiner") key = "";
    before = token;
  }
  return { kind, key, prefix: "", from: caret, to: caret };
}

/** Write a value as a filter does: numbers and booleans bare, anything else in quotes. */
export function quoted(value: string): string {
  if (/^(-?\d+(\.\d+)?|true|false)$/.test(value)) return value;
  return `"${value.replace(/["\\]/g, "\\$&")}"`;
}

/** Return a typed value without its quotes; the closing one may be missing. */
export function unquoted(typed: string): string {
  const inside = /^"((?:[^"\\]|\\.)*)/.exec(typed)?.[1];
  return inside === undefined ? typed : inside.replace(/\\(.)/g, "$1");
}

/** Split a filter into the text before its error, the word to mark, and the text after it. */
export function markError(text: string, position: number): [string, string, string] {
  const from = Math.min(Math.max(position, 0), text.length);
  const word = /^(?:"[^"]*"?|\S+)/.exec(text.slice(from))?.[0] ?? "";
  return [text.slice(0, from), word, text.slice(from + word.length)];
}

const TRACE = /^(?:00-)?([0-9a-f]{32})(?:-([0-9a-f]{16})(?:-[0-9a-f]{2})?)?$/i;

/** Parse a trace id or `traceparent` into the ids of the trace and the span; null if it is neither. */
export function traceIn(text: string): { traceId: string; spanId: string | null } | null {
  const match = TRACE.exec(text.trim().toLowerCase());
  return match?.[1] ? { traceId: match[1], spanId: match[2] ?? null } : null;
}
