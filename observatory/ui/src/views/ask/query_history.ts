/** The queries run in this browser, latest first. */

const STORAGE_KEY = "observatory.ask.history";
const HISTORY_MAX = 50;

/** Return past queries; an empty list if storage is refused or its content is invalid. */
export function queryHistory(storage: Pick<Storage, "getItem">): string[] {
  try {
    const stored: unknown = JSON.parse(storage.getItem(STORAGE_KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter((query) => typeof query === "string") : [];
  } catch {
    return [];
  }
}

/** Put a query at the front of the history, and return the history. */
export function remember(storage: Pick<Storage, "getItem" | "setItem">, sql: string): string[] {
  const queries = [sql, ...queryHistory(storage).filter((query) => query !== sql)].slice(
    0,
    HISTORY_MAX,
  );
  try {
    storage.setItem(STORAGE_KEY, JSON.stringify(queries));
  } catch {
    // Storage is full or refused: the query is not remembered.
  }
  return queries;
}

/** Delete the history. */
export function forget(storage: Pick<Storage, "removeItem">): void {
  storage.removeItem(STORAGE_KEY);
}
