/** Formatting, sorting and measuring the cells of a query result, and writing them as CSV. */

import type { SqlColumn, SqlResult } from "../../api/types";

const TRACE_ID = /^[0-9a-f]{32}$/;
const NUMERIC_TYPE = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|REAL|DECIMAL.*)$/i;
const WIDTH_MIN = 7;
const WIDTH_MAX = 44;
const WIDTH_SAMPLE = 200;

/** Format a value: lists and structs as JSON, null as an empty string. */
export function cellText(value: unknown): string {
  if (value === null) return "";
  if (typeof value === "number") return numberText(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Format a number with at most seven significant digits if it isn't an integer. */
function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
}

/** Whether a column holds numbers, which are aligned right. */
export function isNumeric(column: SqlColumn): boolean {
  return NUMERIC_TYPE.test(column.type);
}

/** Whether a value looks like a trace id. */
export function isTraceId(value: unknown): value is string {
  return typeof value === "string" && TRACE_ID.test(value);
}

export interface SortOrder {
  column: number;
  descending: boolean;
}

/** Return the rows sorted by a column; nulls are last in both directions. */
export function sorted(table: SqlResult, order: SortOrder | null): unknown[][] {
  if (order === null) return table.rows;
  const { column, descending } = order;
  const head = table.columns[column];
  const numeric = head !== undefined && isNumeric(head);
  const sign = descending ? -1 : 1;
  return [...table.rows].sort((one, other) => {
    const [a, b] = [one[column] ?? null, other[column] ?? null];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    // Integers too large for a double arrive as text, and are compared as text.
    const difference = numeric ? Number(a) - Number(b) : 0;
    if (difference !== 0) return sign * difference;
    return sign * cellText(a).localeCompare(cellText(b), "en", { numeric: true });
  });
}

/** Return column widths in characters, from the column names and the first rows. */
export function widths(table: SqlResult): number[] {
  return table.columns.map((column, index) => {
    const lengths = table.rows
      .slice(0, WIDTH_SAMPLE)
      .map((row) => cellText(row[index] ?? null).length);
    const longest = Math.max(column.name.length + 2, column.type.length - 2, ...lengths);
    return Math.min(WIDTH_MAX, Math.max(WIDTH_MIN, longest)) + 4;
  });
}

/** Return the rows as CSV (RFC 4180) with a header line. */
export function csv(columns: SqlColumn[], rows: unknown[][]): string {
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => row.map(cellText))];
  return lines.map((line) => `${line.map(csvField).join(",")}\r\n`).join("");
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
