/** Where in a question the database found it wrong. */

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
 * The place that a message points at, as in `LINE 2: from spanz` with a caret below; null when
 * it points at none.
 *
 * The line is looked for by what the message quotes of it: the number counts lines of what the
 * database was given, which may have something around the question.
 */
export function errorPosition(sql: string, message: string): ErrorPosition | null {
  const lines = message.split("\n");
  const at = lines.findIndex((line) => LINE.test(line));
  const [whole, number, excerpt] = lines[at]?.match(LINE) ?? [];
  const caret = lines[at + 1]?.indexOf("^") ?? -1;
  if (whole === undefined || excerpt === undefined || caret < 0) return null;
  // Of a long line the message has a part only, with dots where something is left out.
  const part = excerpt.replace(/^\.\.\./, "").replace(/\.\.\.$/, "");
  const texts = sql.split("\n");
  const line = [Number(number) - 1, Number(number) - 2, ...texts.keys()].find(
    (index) => part !== "" && texts[index]?.includes(part),
  );
  if (line === undefined) return null;
  const text = texts[line] ?? "";
  const dots = excerpt.startsWith("...") ? 3 : 0;
  const into = caret - (whole.length - excerpt.length) - dots + text.indexOf(part);
  const column = Math.min(Math.max(into, 0), text.length);
  const before = texts.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
  return { index: before + column, line: line + 1, column: column + 1, text };
}

/** A message without the place that it points at. */
export function withoutPosition(message: string): string {
  return message.split(/\n+LINE \d+: /)[0] ?? message;
}
