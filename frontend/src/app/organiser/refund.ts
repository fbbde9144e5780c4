/** Refunds an order. Each call is one trace, linked to the order's. */
import type { Order } from "../../model/order";
import { type Tracing, within } from "../../tracing/tracing";
import type { OrganiserBackend } from "./backend";

/** A running refund. */
export interface StartedRefund {
  traceId: string;
  /** Resolves once the order is refunded; rejects with the reason why it isn't. */
  refunded: Promise<void>;
}

// A cold start, and a card processor that may be slow.
const TIMEOUT_MS = 30_000;

export function refund(
  order: Order,
  backend: Pick<OrganiserBackend, "callFunction" | "functionUrl">,
  tracing: Tracing,
): StartedRefund {
  const trace = tracing.begin({
    name: "refund",
    line: __SOURCE_LINE__,
    done: "Order refunded",
    failed: "Order could not be refunded",
    orderId: order.id,
    orderState: order.state,
    showId: order.showId,
    follows: order.carrier,
  });
  const refunded = within(trace, async () => {
    const answer = await trace.request(
      {
        method: "POST",
        url: backend.functionUrl("refund"),
        callable: "refund",
        line: __SOURCE_LINE__,
      },
      (sending) => backend.callFunction("refund", { order_id: order.id }, sending, TIMEOUT_MS),
    );
    const state = (answer as { state?: unknown } | null)?.state;
    if (state !== "refunded")
      throw new Error("The order was not refunded, and no reason was given.");
  });
  return { traceId: trace.traceId, refunded };
}
