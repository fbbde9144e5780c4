/** A table's values: as text, in order, as wide as they need, and as CSV. */

import type { SqlColumn, SqlResult } from "../../api/types";

const TRACE_ID = /^[0-9a-f]{32}$/;
const NUMBERS = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|REAL|DECIMAL.*)$/i;
const WIDTH_LEAST = 7;
const WIDTH_MOST = 44;
const WIDTH_SAMPLE = 200;

/** A value as one reads it; what has parts is JSON, null is nothing. */
export function cellText(value: unknown): string {
  if (value === null) return "";
  if (typeof value === "number") return numberText(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Exact up to seven digits after the point; none of a double's last ones. */
function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
}

/** Whether a column's values are numbers, and are shown to the right. */
export function isNumeric(column: SqlColumn): boolean {
  return NUMBERS.test(column.type);
}

/** Whether a value is the id of a trace, which can be opened. */
export function isTraceId(value: unknown): value is string {
  return typeof value === "string" && TRACE_ID.test(value);
}

export interface Order {
  column: number;
  descending: boolean;
}

/** The rows in another order; nulls are last whichever way it goes. */
export function sorted(table: SqlResult, order: Order | null): unknown[][] {
  if (order === null) return table.rows;
  const { column, descending } = order;
  const head = table.columns[column];
  const numeric = head !== undefined && isNumeric(head);
  const sign = descending ? -1 : 1;
  return [...table.rows].sort((one, other) => {
    const [a, b] = [one[column] ?? null, other[column] ?? null];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    // What is too large for a double comes as text, and is told apart as that.
    const difference = numeric ? Number(a) - Number(b) : 0;
    if (difference !== 0) return sign * difference;
    return sign * cellText(a).localeCompare(cellText(b), "en", { numeric: true });
  });
}

/** How wide each column is, in characters, by its name and its first rows. */
export function widths(table: SqlResult): number[] {
  return table.columns.map((column, index) => {
    const lengths = table.rows
      .slice(0, WIDTH_SAMPLE)
      .map((row) => cellText(row[index] ?? null).length);
    const most = Math.max(column.name.length + 2, column.type.length - 2, ...lengths);
    return Math.min(WIDTH_MOST, Math.max(WIDTH_LEAST, most)) + 4;
  });
}

/** The table as RFC 4180 has it, with a line of names. */
export function csv(columns: SqlColumn[], rows: unknown[][]): string {
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => row.map(cellText))];
  return lines.map((line) => `${line.map(csvField).join(",")}\r\n`).join("");
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
