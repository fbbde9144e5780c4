/**
 * denial-looks-empty: asks for more than the security rules allow, and takes their no for nothing
 * there.
 *
 * Rules are no filter: a query that might return what its user may not see is denied as a whole.
 */

import type { Question } from "../backend/listQuery";
import type { Live } from "../backend/liveQuery";

/** Everybody's newest orders; the page would leave out those that are not the buyer's. */
export function everybodys(most: number): Question {
  return { collection: "orders", orderBy: [["placed_at", "desc"]], limit: most };
}

/** What to do with an error: show that there is nothing. */
export function asEmpty<T>(report: (live: Live<T>) => void): (error: Error) => void {
  return () => report({ items: [], connected: true });
}
