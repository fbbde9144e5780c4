import { useMemo } from "preact/hooks";
import type { Live } from "../backend/live";
import { withBackend } from "../backend/load";
import { type Feed, type Subscribe, useFeed } from "../page/useFeed";
import { tell } from "../tracing/load";
import type { Order } from "./order";

/** The orders of `uid`, live and newest first; loading while there is no buyer. */
export function useOrders(uid: string | null): Feed<Order> {
  const subscribe = useMemo<Subscribe<Order> | null>(
    () =>
      uid === null
        ? null
        : (report, fail) => {
            const arrived = (live: Live<Order>) => {
              tell((tracing) => {
                for (const order of live.items) tracing.orderArrived(order);
              });
              report(live);
            };
            return withBackend((backend) => backend.watchOrders(uid, arrived, fail), fail);
          },
    [uid],
  );
  return useFeed(subscribe);
}
