import { PlacedAt } from "../../components/PlacedAt";
import { Standing } from "../../components/Standing";
import { TraceLink } from "../../components/SupportCode";
import { money, seatCount } from "../../model/format";
import type { Order } from "../../model/order";
import { STANDING, shortName } from "../../model/sales";
import { traceIdOf } from "../../tracing/traceIdOf";

interface Props {
  order: Order;
  whyNotRefund: string | null;
  refund: (orderId: string) => void;
}

/** One order as its seller sees it. */
export function SaleRow({ order, whyNotRefund, refund }: Props) {
  const standing = STANDING[order.state];
  const traceId = traceIdOf(order.carrier);
  const name = shortName(order.id);
  return (
    <li
      class="sale"
      data-order-id={order.id}
      data-order-state={order.state}
      data-trace-id={traceId}
    >
      <h3 tabIndex={-1}>
        <span class="unseen">Order </span>
        {name}
      </h3>
      <p class="sale-what">
        {seatCount(order.seats)}
        {order.amountCents !== null && ` · ${money(order.amountCents, order.currency)}`}
        {order.placedAt && (
          <>
            {" · "}
            <PlacedAt at={order.placedAt} quiet />
          </>
        )}
      </p>
      <Standing label={standing.label} tone={standing.tone} />
      <span class="sale-trace">
        {traceId && (
          <TraceLink traceId={traceId} about={`order ${name}`}>
            Trace
          </TraceLink>
        )}
      </span>
      <span class="sale-action">
        {order.state === "ticketed" && (
          <button
            type="button"
            class="button small"
            disabled={whyNotRefund !== null}
            title={whyNotRefund ?? undefined}
            onClick={() => refund(order.id)}
          >
            Refund<span class="unseen"> order {name}</span>
          </button>
        )}
      </span>
    </li>
  );
}
