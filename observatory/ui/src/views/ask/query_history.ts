/** The questions that were asked in this browser, the latest first. */

const NAME = "observatory.ask.history";
const MOST = 50;

/** What was asked; nothing where the browser keeps nothing, or something else. */
export function queryHistory(storage: Pick<Storage, "getItem">): string[] {
  try {
    const kept: unknown = JSON.parse(storage.getItem(NAME) ?? "[]");
    return Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

/** The past questions with one more; one that was asked before moves to the front. */
export function remember(storage: Pick<Storage, "getItem" | "setItem">, sql: string): string[] {
  const questions = [sql, ...queryHistory(storage).filter((each) => each !== sql)].slice(0, MOST);
  try {
    storage.setItem(NAME, JSON.stringify(questions));
  } catch {
    // Full or refused: this page still knows them.
  }
  return questions;
}

/** Forgets them all. */
export function forget(storage: Pick<Storage, "removeItem">): void {
  storage.removeItem(NAME);
}
