import type { Report } from "../model/live";
import type { Order } from "../model/order";
import { withTracing } from "./load";

/** Return a `report` that first passes every order that arrives to the tracing. */
export function traceArrivals(report: Report<Order>): Report<Order> {
  return (live) => {
    withTracing((tracing) => {
      for (const order of live.items) tracing.orderArrived(order, __SOURCE_LINE__);
    });
    report(live);
  };
}
