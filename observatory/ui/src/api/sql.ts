/** Questions in SQL, as `POST /api/ask` and `GET /api/ask/schema` say. */
import { ask } from "./ask";
import type { Value } from "./journey";

export interface Column {
  name: string;
  type: string;
}

/** `truncated` says that there are more rows than were asked for. */
export interface Table {
  columns: Column[];
  rows: Value[][];
  truncated: boolean;
  elapsed_ms: number;
}

export interface SqlView {
  name: string;
  says: string;
  columns: (Column & { says: string })[];
}

export interface SqlSchema {
  views: SqlView[];
  examples: { question: string; sql: string }[];
}

/** The rows that a question has for an answer, at most `limit`. */
export function askSql(sql: string, limit: number, signal: AbortSignal): Promise<Table> {
  return ask("/api/ask", signal, { sql, limit });
}

/** What can be asked: the views, their columns, and questions to begin with. */
export function fetchSchema(signal: AbortSignal): Promise<SqlSchema> {
  return ask("/api/ask/schema", signal);
}
