/** The orders of one show, whoever placed them. */
import { collection, limit, orderBy, query, where } from "firebase/firestore";
import { type Live, watch } from "../../backend/live";
import { firestore } from "../../backend/open";
import { readOrder } from "../../backend/orders";
import type { Order } from "../../orders/order";
import { MOST_SALES } from "../sales";

/** Follows the newest orders of a show, newest first. Only an organiser may. */
export function watchSales(
  showId: string,
  report: (live: Live<Order>) => void,
  fail: (error: Error) => void,
): () => void {
  const newestFirst = query(
    collection(firestore, "orders"),
    where("show_id", "==", showId),
    orderBy("placed_at", "desc"),
    limit(MOST_SALES),
  );
  return watch(newestFirst, readOrder, report, fail);
}
