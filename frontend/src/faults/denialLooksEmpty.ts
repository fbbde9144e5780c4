/**
 * Query every buyer's orders, which the rules deny, and show the error as an empty list.
 *
 * Rules are not filters: a query that could return a document its user may not read is denied as a
 * whole.
 */
import type { ListQuery } from "../backend/listQuery";
import { watch } from "../backend/liveQuery";
import { ORDERS_LIMIT, readOrder, type watchOrders as right } from "../backend/orders";

export const REPLACES = "backend/orders:watchOrders";

export const watchOrders: typeof right = (_uid, report) => {
  const newestFirst: ListQuery = {
    collection: "orders",
    orderBy: [["placed_at", "desc"]],
    limit: ORDERS_LIMIT,
  };
  return watch(newestFirst, readOrder, report, () => report({ items: [], connected: true }));
};
