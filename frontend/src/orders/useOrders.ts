import { useMemo } from "preact/hooks";
import { withBackend } from "../backend/load";
import { type Feed, type Subscribe, useFeed } from "../page/useFeed";
import type { Order } from "./order";
import { traceArrivals } from "./traceArrivals";

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
