/** The position in a query that a database error points at. */

export interface ErrorPosition {
  /** Counted from 0, in the whole text. */
  index: number;
  /** Counted from 1. */
  line: number;
  column: number;
  /** The whole line. */
  text: string;
}

const LINE = /^LINE (\d+): (.*)$/;

/**
 * Return the position in an error message such as `LINE 2: from spanz` with a caret below it; null
 * if it has none.
 *
 * The line is searched by the excerpt that the message quotes. The number in the message may be off
 * by one, because the server may wrap the query in another one.
 */
export function errorPosition(sql: string, message: string): ErrorPosition | null {
  const lines = message.split("\n");
  const at = lines.findIndex((line) => LINE.test(line));
  const [whole, number, excerpt] = lines[at]?.match(LINE) ?? [];
  const caret = lines[at + 1]?.indexOf("^") ?? -1;
  if (whole === undefined || excerpt === undefined || caret < 0) return null;
  // The message cuts a long line, and marks the cut with dots.
  const quoted = excerpt.replace(/^\.\.\./, "").replace(/\.\.\.$/, "");
  const texts = sql.split("\n");
  const line = [Number(number) - 1, Number(number) - 2, ...texts.keys()].find(
    (index) => quoted !== "" && texts[index]?.includes(quoted),
  );
  if (line === undefined) return null;
  const text = texts[line] ?? "";
  const dots = excerpt.startsWith("...") ? 3 : 0;
  const offset = caret - (whole.length - excerpt.length) - dots + text.indexOf(quoted);
  const column = Math.min(Math.max(offset, 0), text.length);
  const before = texts.slice(0, line).reduce((sum, text) => sum + text.length + 1, 0);
  return { index: before + column, line: line + 1, column: column + 1, text };
}

/** Return a message without the excerpt and the caret. */
export function withoutPosition(message: string): string {
  return message.split(/\n+LINE \d+: /)[0] ?? message;
}
