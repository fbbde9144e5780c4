import type { Live } from "../backend/live";
import { tell } from "../tracing/load";
import type { Order } from "./order";

type Report = (live: Live<Order>) => void;

/** `report`, with every order that arrives told to the tracing first. */
export function traceArrivals(report: Report): Report {
  return (live) => {
    tell((tracing) => {
      for (const order of live.items) tracing.orderArrived(order, __SOURCE_LINE__);
    });
    report(live);
  };
}
