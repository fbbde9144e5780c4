/** The orders of one show, whoever placed them. */

import type { Order } from "../../model/order";
import { MOST_SALES } from "../../model/sales";
import type { Question } from "../listQuery";
import { type Live, watch } from "../liveQuery";
import { readOrder } from "../orders";

/** Follows the newest orders of a show, newest first. Only an organiser may. */
export function watchSales(
  showId: string,
  report: (live: Live<Order>) => void,
  fail: (error: Error) => void,
): () => void {
  const newestFirst: Question = {
    collection: "orders",
    where: [["show_id", "==", showId]],
    orderBy: [["placed_at", "desc"]],
    limit: MOST_SALES,
  };
  return watch(newestFirst, readOrder, report, fail);
}
