import { useMemo } from "preact/hooks";
import { type Feed, type Subscribe, useFeed } from "../../../components/useFeed";
import type { Order } from "../../../model/order";
import { traceArrivals } from "../../../tracing/traceArrivals";
import { withBackend } from "../backend";

/** The orders of `uid`, live and newest first; loading while there is no buyer. */
export function useOrders(uid: string | null): Feed<Order> {
  const subscribe = useMemo<Subscribe<Order> | null>(
    () =>
      uid === null
        ? null
        : (report, fail) =>
            withBackend((backend) => backend.watchOrders(uid, traceArrivals(report), fail), fail),
    [uid],
  );
  return useFeed(subscribe);
}
