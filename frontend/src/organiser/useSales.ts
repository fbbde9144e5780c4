import { useMemo } from "preact/hooks";
import type { Live } from "../backend/live";
import type { Order } from "../orders/order";
import { type Feed, type Subscribe, useFeed } from "../page/useFeed";
import type { Show } from "../shows/show";
import { tell } from "../tracing/load";
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
        : (report, fail) => {
            const arrived = (live: Live<Order>) => {
              tell((tracing) => {
                for (const order of live.items) tracing.orderArrived(order);
              });
              report(live);
            };
            return withBackend((backend) => backend.watchSales(showId, arrived, fail), fail);
          },
    [showId],
  );
  return useFeed(subscribe);
}
