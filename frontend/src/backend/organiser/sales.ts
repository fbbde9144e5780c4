import type { Fail, Report } from "../../model/live";
import type { Order } from "../../model/order";
import { MOST_SALES } from "../../model/sales";
import type { ListQuery } from "../listQuery";
import { watch } from "../liveQuery";
import { readOrder } from "../orders";

/** Follow the newest orders of a show, newest first. Only an organiser may read them. */
export function watchSales(showId: string, report: Report<Order>, fail: Fail): () => void {
  const newestFirst: ListQuery = {
    collection: "orders",
    where: [["show_id", "==", showId]],
    orderBy: [["placed_at", "desc"]],
    limit: MOST_SALES,
  };
  return watch(newestFirst, readOrder, report, fail);
}
