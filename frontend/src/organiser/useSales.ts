import { useMemo } from "preact/hooks";
import type { Order } from "../orders/order";
import { traceArrivals } from "../orders/traceArrivals";
import { type Feed, type Subscribe, useFeed } from "../page/useFeed";
import type { Show } from "../shows/show";
import { withBackend } from "./backend/load";

const subscribeToShows: Subscribe<Show> = (report, fail) =>
  withBackend((backend) => backend.watchShows(report, fail), fail);

/** The shows on sale, live. */
export function useShows(): Feed<Show> {
  return useFeed(subscribeToShows);
}

/** The orders of a show, live and newest first; loading while there is no show. */
export function useSales(showId: string | null): Feed<Order> {
  const subscribe = useMemo<Subscribe<Order> | null>(
    () =>
      showId === null
        ? null
        : (report, fail) =>
            withBackend((backend) => backend.watchSales(showId, traceArrivals(report), fail), fail),
    [showId],
  );
  return useFeed(subscribe);
}
