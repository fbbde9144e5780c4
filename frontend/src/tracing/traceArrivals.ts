import type { Live } from "../backend/liveQuery";
import type { Order } from "../model/order";
import { tell } from "./load";

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
