import { useMemo } from "preact/hooks";
import { type Feed, type Subscribe, useFeed } from "../../components/useFeed";
import type { Order } from "../../model/order";
import type { Show } from "../../model/show";
import type { TallyShard } from "../../model/tally";
import { traceArrivals } from "../../tracing/traceArrivals";
import { withBackend } from "./backend";

const subscribeToShows: Subscribe<Show> = (report, fail) =>
  withBackend((backend) => backend.watchShows(report, fail), fail);

/** The shows on sale, live. */
export function useShows(): Feed<Show> {
  return useFeed(subscribeToShows);
}

const subscribeToTally: Subscribe<TallyShard> = (report, fail) =>
  withBackend((backend) => backend.watchTally(report, fail), fail);

/** The shards of the tally, live. */
export function useTally(): Feed<TallyShard> {
  return useFeed(subscribeToTally);
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
